//go:build unix

package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// The plugin protocol of Terraform: the variable and value by which it says that it is the one who starts us, and the
// version that the provider speaks.
const (
	cookieName      = "TF_PLUGIN_MAGIC_COOKIE"
	cookieValue     = "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2"
	protocolVersion = "6"
	// Version of go-plugin's handshake line itself.
	handshakeVersion = "1"
)

func checkStartedByTerraform() error {
	if os.Getenv(cookieName) != cookieValue {
		return errors.New("this is a plugin: terraform and tofu start it, people do not")
	}
	offered := os.Getenv("PLUGIN_PROTOCOL_VERSIONS")
	if offered == "" {
		return nil
	}
	for _, version := range strings.Split(offered, ",") {
		if version == protocolVersion {
			return nil
		}
	}
	return fmt.Errorf("this provider speaks plugin protocol %s, and terraform offers %s: use Terraform 1.0 or newer", protocolVersion, offered)
}

// listen opens the socket for Terraform, and returns with it the line by which Terraform finds it. The socket speaks TLS
// when Terraform has sent its certificate (go-plugin's AutoMTLS), and then takes that certificate only.
func listen() (net.Listener, string, error) {
	folder, err := os.MkdirTemp(os.Getenv("PLUGIN_UNIX_SOCKET_DIR"), "plumb")
	if err != nil {
		return nil, "", err
	}
	path := filepath.Join(folder, "plugin")
	unix, err := net.Listen("unix", path)
	if err != nil {
		os.Remove(folder)
		return nil, "", err
	}
	listener := net.Listener(&removing{unix, folder})
	line := strings.Join([]string{handshakeVersion, protocolVersion, "unix", path, "grpc"}, "|")
	clientPEM := os.Getenv("PLUGIN_CLIENT_CERT")
	if clientPEM == "" {
		return listener, line, nil
	}
	config, certificate, err := mutualTLS(clientPEM)
	if err != nil {
		listener.Close()
		return nil, "", err
	}
	return tls.NewListener(listener, withKnownPeer(config)), line + "|" + base64.RawStdEncoding.EncodeToString(certificate), nil
}

// removing takes the folder of the socket away when it is closed.
type removing struct {
	net.Listener
	folder string
}

func (r *removing) Close() error {
	err := r.Listener.Close()
	os.RemoveAll(r.folder)
	return err
}

// withKnownPeer returns a configuration that asks the process which has started us for no certificate: the kernel says who it is,
// and proving that it has the key of its certificate takes both sides longer than everything else of a handshake. Any other
// process is asked.
func withKnownPeer(config *tls.Config) *tls.Config {
	known := config.Clone()
	known.ClientAuth = tls.NoClientCert
	config.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		if isStarter(hello.Conn) {
			return known, nil
		}
		return nil, nil
	}
	return config
}

// isStarter says whether the process at the other end of a socket is our parent, and of our user.
func isStarter(connection net.Conn) bool {
	of, ok := connection.(*net.UnixConn)
	if !ok {
		return false
	}
	peer, err := peerOf(of)
	return err == nil && peer.uid == os.Getuid() && peer.pid > 1 && peer.pid == os.Getppid()
}

// mutualTLS makes a certificate for this process alone, and a configuration in which both sides know only each other.
// It returns the certificate in DER.
func mutualTLS(clientPEM string) (*tls.Config, []byte, error) {
	clients := x509.NewCertPool()
	if !clients.AppendCertsFromPEM([]byte(clientPEM)) {
		return nil, nil, errors.New("PLUGIN_CLIENT_CERT is not a PEM certificate")
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return nil, nil, err
	}
	template := &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{CommonName: "localhost", Organization: []string{"plumb"}},
		// The name by which go-plugin checks it.
		DNSNames:              []string{"localhost"},
		NotBefore:             time.Now().Add(-time.Minute),
		NotAfter:              time.Now().AddDate(10, 0, 0),
		KeyUsage:              x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment | x509.KeyUsageKeyAgreement | x509.KeyUsageCertSign,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true,
		IsCA:                  true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, nil, err
	}
	return &tls.Config{
		Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}},
		ClientAuth:   tls.RequireAndVerifyClientCert,
		ClientCAs:    clients,
		MinVersion:   tls.VersionTLS12,
		NextProtos:   []string{"h2"},
	}, der, nil
}
