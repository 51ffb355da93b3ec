package bus_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"reverb/internal/redistest"
	"reverb/scaling/bus"
)

// certificate writes a certificate for 127.0.0.1 and its key, and returns their paths and a pool that trusts it.
func certificate(t *testing.T) (cert, key string, pool *x509.CertPool) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	pemCert := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	pemKey := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret})
	if err := os.WriteFile(cert, pemCert, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(key, pemKey, 0o600); err != nil {
		t.Fatal(err)
	}
	pool = x509.NewCertPool()
	pool.AppendCertsFromPEM(pemCert)
	return cert, key, pool
}

// minimalUser is what docs tell to give to the node's user: these commands, its keys and its channels.
const minimalUser = "on >secret resetkeys ~P:* resetchannels &P:* -@all " +
	"+hello +ping +publish +subscribe +unsubscribe +eval +evalsha +get +set"

func TestTLSAndAUserWithFewRights(t *testing.T) {
	cert, key, pool := certificate(t)
	port := redistest.FreePort(t)
	redis := redistest.Start(t, "--tls-port", port, "--tls-cert-file", cert, "--tls-key-file", key, "--tls-ca-cert-file", cert)
	if err, failed := redis.Do(append([]string{"ACL", "SETUSER", "node"}, strings.Fields(minimalUser)...)...).(error); failed {
		t.Fatal(err)
	}
	certificate, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		t.Fatal(err)
	}
	o := bus.Options{
		Addrs: []string{"127.0.0.1:" + port}, Username: "node", Password: "secret",
		TLS: &tls.Config{RootCAs: pool, Certificates: []tls.Certificate{certificate}},
	}
	stranger := o
	stranger.TLS = &tls.Config{Certificates: o.TLS.Certificates}
	q := connect(t, stranger)
	q.await("the reason", func() bool {
		s := q.State()
		return s.Err != nil && strings.Contains(s.Err.Error(), "unknown authority")
	})

	p := up(t, o)
	p.subscribe("P:x")
	keep := &bus.Keep{Key: "P:x:e", Value: []byte("v"), TTL: time.Minute}
	if err := p.Publish(bus.Message{Name: "P:x", Payload: []byte("m"), Keep: keep}); err != nil {
		t.Fatal(err)
	}
	p.await("the message", func() bool { return p.count("P:x") == 1 })
	script := bus.NewScript(`return redis.call("GET", KEYS[1])`)
	for range 2 {
		if v, err := p.do(bus.Command{Script: script, Keys: []string{"P:x:e"}}).Text(); err != nil || v != "v" {
			t.Errorf("got %q, error %v", v, err)
		}
	}
	p.Unsubscribe("P:x")
	p.await("the subscription to end", func() bool { return redis.Subscribers("P:x") == 0 })

	// What it may not do is dropped, counted, and ends nothing.
	p.publish("other", "m")
	p.await("the refusal to be counted", func() bool { return p.droppedFor(bus.DroppedRefused) == 1 })
	if !p.Up() {
		t.Error("a refused publication ended the connection")
	}
}

func TestSaysWhyItIsDown(t *testing.T) {
	redis := redistest.Start(t, "--requirepass", "secret")
	node := redistest.Start(t, "--cluster-enabled", "yes", "--cluster-port", redistest.FreePort(t))
	for name, test := range map[string]struct {
		options bus.Options
		want    string
	}{
		"no password":    {bus.Options{Addrs: []string{redis.Addr}}, "NOAUTH"},
		"wrong password": {bus.Options{Addrs: []string{redis.Addr}, Password: "x"}, "WRONGPASS"},
		"no such database": {
			bus.Options{Addrs: []string{redis.Addr}, Password: "secret", Database: 99}, "DB index",
		},
		"no cluster":          {bus.Options{Addrs: []string{redis.Addr}, Password: "secret", Cluster: true}, "cluster support disabled"},
		"a cluster":           {bus.Options{Addrs: []string{node.Addr}}, "of a cluster"},
		"cluster of no slots": {bus.Options{Addrs: []string{node.Addr}, Cluster: true}, "no slots"},
		"no sentinel": {
			bus.Options{Password: "secret", Sentinel: bus.Sentinel{Master: "m", Addrs: []string{redis.Addr}}}, "sentinel " + redis.Addr,
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := connect(t, test.options)
			p.await(test.want, func() bool { s := p.State(); return s.Err != nil && strings.Contains(s.Err.Error(), test.want) })
		})
	}
}

// A name that may not be subscribed leaves the node without what it needs: it is down, and says why.
func TestRefusedSubscription(t *testing.T) {
	redis := redistest.Start(t)
	if err, failed := redis.Do(append([]string{"ACL", "SETUSER", "node"}, strings.Fields(minimalUser)...)...).(error); failed {
		t.Fatal(err)
	}
	o := at(redis)
	o.Username, o.Password = "node", "secret"
	p := up(t, o)
	done := make(chan error, 1)
	p.Subscribe("other", func(err error) { done <- err })
	if err := receive(t, done); err == nil {
		t.Error("confirmed")
	}
	p.await("the reason", func() bool { s := p.State(); return !s.Up && s.Err != nil && strings.Contains(s.Err.Error(), "NOPERM") })
	p.Unsubscribe("other")
	p.await("up again", p.Up)
}
