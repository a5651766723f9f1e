// Package record writes what a client asks, one line of JSON a request, for the replay in `npm test`.
package record

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"sync"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

type request struct {
	Method string `json:"method"`
	Path   string `json:"path"`
	Type   string `json:"type,omitempty"`
	Accept string `json:"accept,omitempty"`
	Body   []byte `json:"body,omitempty"`
	Status int    `json:"status"`
	Answer string `json:"answer,omitempty"`
}

// Recorder collects requests of any number of clients.
type Recorder struct {
	lock sync.Mutex
	all  []request
}

type transport struct {
	next http.RoundTripper
	into *Recorder
}

func (t transport) RoundTrip(sent *http.Request) (*http.Response, error) {
	var body []byte
	if sent.Body != nil {
		read, err := io.ReadAll(sent.Body)
		if err != nil {
			return nil, err
		}
		body = read
		sent.Body = io.NopCloser(bytes.NewReader(body))
	}
	answer, err := t.next.RoundTrip(sent)
	if err != nil {
		return nil, err
	}
	t.into.lock.Lock()
	defer t.into.lock.Unlock()
	head := sent.Header
	t.into.all = append(t.into.all, request{
		sent.Method, sent.URL.RequestURI(), head.Get("Content-Type"), head.Get("Accept"), body,
		answer.StatusCode, answer.Header.Get("Content-Type"),
	})
	return answer, nil
}

// Config of a kubeconfig, whose requests are recorded.
func (r *Recorder) Config(kubeconfig string) (*rest.Config, error) {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return nil, err
	}
	config.QPS, config.Burst = -1, -1
	config.Wrap(func(next http.RoundTripper) http.RoundTripper { return transport{next, r} })
	return config, nil
}

// Write puts them into a file.
func (r *Recorder) Write(file string) error {
	r.lock.Lock()
	defer r.lock.Unlock()
	var text bytes.Buffer
	lines := json.NewEncoder(&text)
	lines.SetEscapeHTML(false)
	for _, one := range r.all {
		if err := lines.Encode(one); err != nil {
			return err
		}
	}
	return os.WriteFile(file, text.Bytes(), 0o644)
}

// Check ends the program when something went wrong.
func Check(err error, what string) {
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", what, err)
		os.Exit(1)
	}
}

// Expect ends the program when something is not so.
func Expect(holds bool, what string, arguments ...any) {
	if !holds {
		fmt.Fprintf(os.Stderr, what+"\n", arguments...)
		os.Exit(1)
	}
}
