// Keeps account of who owns what as Kubernetes' API server does, with its own field manager. The argument is a file with the OpenAPI
// schemas of the kinds; each line of standard input is a history of one object, each line of standard output says what became of it
// step by step. `npm run soak -- --apply N` compares that with what Plumb makes of the same histories.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/managedfields"
	"k8s.io/kube-openapi/pkg/validation/spec"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
)

type step struct {
	// apply or update.
	Op          string                 `json:"op"`
	Manager     string                 `json:"manager"`
	Force       bool                   `json:"force"`
	Subresource string                 `json:"subresource"`
	Object      map[string]interface{} `json:"object"`
}

type history struct {
	Kind  string `json:"kind"`
	Steps []step `json:"steps"`
}

type conflict struct {
	Message string `json:"message"`
	Field   string `json:"field"`
}

type outcome struct {
	Object    map[string]interface{} `json:"object,omitempty"`
	Conflicts []conflict             `json:"conflicts,omitempty"`
	Error     string                 `json:"error,omitempty"`
}

var version = schema.GroupVersion{Group: "plumb.dev", Version: "v1"}

// Objects have one version and no defaults here: both are other parts' work.
type asItIs struct{}

func (asItIs) Convert(in, out, context interface{}) error { return errors.New("not served") }
func (asItIs) ConvertToVersion(in runtime.Object, target runtime.GroupVersioner) (runtime.Object, error) {
	return in, nil
}
func (asItIs) ConvertFieldLabel(gvk schema.GroupVersionKind, label, value string) (string, string, error) {
	return label, value, nil
}
func (asItIs) Default(in runtime.Object) {}
func (asItIs) New(kind schema.GroupVersionKind) (runtime.Object, error) {
	object := &unstructured.Unstructured{}
	object.SetGroupVersionKind(kind)
	return object, nil
}

func main() {
	converter := typesOf(os.Args[1])
	out := bufio.NewWriter(os.Stdout)
	encoder := json.NewEncoder(out)
	decoder := json.NewDecoder(bufio.NewReaderSize(os.Stdin, 1<<20))
	for decoder.More() {
		var one history
		check(decoder.Decode(&one))
		check(encoder.Encode(play(converter, &one)))
		check(out.Flush())
	}
}

func typesOf(file string) managedfields.TypeConverter {
	text, err := os.ReadFile(file)
	check(err)
	schemas := map[string]*spec.Schema{}
	check(json.Unmarshal(text, &schemas))
	converter, err := managedfields.NewTypeConverter(schemas, false)
	check(err)
	return converter
}

func play(converter managedfields.TypeConverter, one *history) []outcome {
	var live *unstructured.Unstructured
	outcomes := []outcome{}
	for _, next := range one.Steps {
		result, err := take(converter, version.WithKind(one.Kind), live, next)
		switch {
		case err == nil:
			// It has one from the beginning: without one it would be taken for a new object.
			result.SetUID("uid")
			live = result
			outcomes = append(outcomes, outcome{Object: result.DeepCopy().Object})
		case apierrors.IsConflict(err):
			outcomes = append(outcomes, outcome{Conflicts: conflictsOf(err)})
		default:
			outcomes = append(outcomes, outcome{Error: err.Error()})
		}
	}
	return outcomes
}

func take(converter managedfields.TypeConverter, kind schema.GroupVersionKind, live *unstructured.Unstructured, next step) (*unstructured.Unstructured, error) {
	reset := fieldpath.NewSet(fieldpath.MakePathOrDie("status"))
	if next.Subresource != "" {
		reset = fieldpath.NewSet(fieldpath.MakePathOrDie("metadata"), fieldpath.MakePathOrDie("spec"))
	}
	filters := map[fieldpath.APIVersion]fieldpath.Filter{
		fieldpath.APIVersion(version.String()): fieldpath.NewExcludeSetFilter(reset),
	}
	manager, err := managedfields.NewDefaultCRDFieldManager(
		converter, asItIs{}, asItIs{}, asItIs{}, kind, version, next.Subresource, filters)
	check(err)
	var before runtime.Object
	if live == nil {
		before, _ = asItIs{}.New(kind)
	} else {
		before = live.DeepCopy()
	}
	wanted := &unstructured.Unstructured{Object: next.Object}
	var after runtime.Object
	if next.Op == "apply" {
		after, err = manager.Apply(before, wanted, next.Manager, next.Force)
	} else {
		after, err = manager.Update(before, wanted, next.Manager)
	}
	if err != nil {
		return nil, err
	}
	return after.(*unstructured.Unstructured), nil
}

func conflictsOf(err error) []conflict {
	var status *apierrors.StatusError
	found := []conflict{}
	if errors.As(err, &status) {
		for _, cause := range status.ErrStatus.Details.Causes {
			found = append(found, conflict{Message: cause.Message, Field: cause.Field})
		}
	}
	return found
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
