package e2e_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gobwas/ws"

	"reverb/internal/testclient"
)

const laravelEnv = `
APP_NAME=Laravel
REVERB_APP_ID=123456
REVERB_APP_KEY=reverb-key
REVERB_APP_SECRET="reverb-secret"
REVERB_HOST="localhost"
REVERB_PORT=8080
REVERB_SCHEME=http
REVERB_SERVER_HOST=127.0.0.1

VITE_REVERB_APP_KEY="${REVERB_APP_KEY}"
VITE_REVERB_HOST="${REVERB_HOST}"
`

// freePort is a port that nobody listens on.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return port
}

func TestLaravelEnvAlone(t *testing.T) { // 13
	port := freePort(t)
	s := testclient.Start(t, bin, testclient.Options{DotEnv: laravelEnv, Args: []string{"--port", port}})
	if want := "   INFO  Starting server on 127.0.0.1:" + port + " (localhost)."; !strings.Contains(s.Output(), want) {
		t.Fatalf("banner\n got %q\nwant %q", s.Output(), want)
	}
	testclient.Connect(t, s.Addr, key)
	firstApp(s).Post(t, "/events", `{"name":"a","channel":"a","data":"1"}`).Expect(t, 200, `{}`)
	s.Stop()
}

func TestStopping(t *testing.T) {
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		t.Run(sig.String(), func(t *testing.T) {
			s := start(t, "drain_timeout = 1", "")
			subscribed, idle := testclient.Connect(t, s.Addr, key), testclient.Connect(t, s.Addr, key)
			subscribed.Join(secret, "test", "")
			s.Signal(sig)
			subscribed.ExpectClose(stopCode())
			idle.ExpectClose(stopCode())
			if code := s.ExitCode(); code != 0 {
				t.Fatalf("exit code %d", code)
			}
			if !strings.Contains(s.Output(), "   INFO  Gracefully terminating connections.") {
				t.Fatalf("output %q", s.Output())
			}
		})
	}
}

func TestRestart(t *testing.T) {
	port := freePort(t)
	s := testclient.Start(t, bin, testclient.Options{DotEnv: laravelEnv, Args: []string{"--port", port}, Env: []string{"REVERB_SERVER_PORT=" + port}})
	c := testclient.Connect(t, s.Addr, key)
	cmd := exec.Command(bin, "restart")
	cmd.Dir = s.Dir
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + s.Dir, "TMPDIR=" + s.Dir, "REVERB_SERVER_PORT=" + port}
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "   INFO  Broadcasting Reverb restart signal.") {
		t.Fatalf("restart: %v\n%s", err, out)
	}
	c.ExpectClose(stopCode())
	if code := s.ExitCode(); code != 0 {
		t.Fatalf("exit code %d\n%s", code, s.Output())
	}
}

func TestStartRefused(t *testing.T) {
	taken := start(t, "", "")
	_, port, _ := net.SplitHostPort(taken.Addr)
	for _, c := range []struct {
		name string
		o    testclient.Options
		want []string
	}{
		{"port in use", testclient.Options{DotEnv: laravelEnv, Args: []string{"--port", port}}, []string{"Failed to listen on", "EADDRINUSE"}},
		{"no application", testclient.Options{}, []string{"reverb install"}},
		{"bad file", testclient.Options{Config: "[server]\nport = 99999\nhots = \"x\"\n[[apps]]\napp_id = \"1\"\nkey = \"k\"\nsecret = \"s\"\nping_interval = \"often\"\n"},
			[]string{"port", "hots", "ping_interval"}},
		{"certificate that is not there", testclient.Options{DotEnv: laravelEnv, Config: "[server.tls]\ncert = \"/nowhere/cert.pem\"\n"}, []string{"/nowhere/cert.pem"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			code, out := testclient.Launch(t, bin, c.o).Run()
			if code != 1 {
				t.Errorf("exit code %d, want 1", code)
			}
			for _, want := range c.want {
				if !strings.Contains(out, want) {
					t.Errorf("output says nothing of %q:\n%s", want, out)
				}
			}
		})
	}
}

func TestTLS(t *testing.T) { // 13
	dir := t.TempDir()
	cert, key509 := selfSigned(t)
	writeFile(t, filepath.Join(dir, "cert.pem"), cert)
	writeFile(t, filepath.Join(dir, "key.pem"), key509)
	s := testclient.Start(t, bin, testclient.Options{Dir: dir, DotEnv: laravelEnv,
		Config: "[server]\nport = 0\n[server.tls]\ncert = \"cert.pem\"\nkey = \"key.pem\"\n"})
	if !strings.Contains(s.Output(), "Starting secure server on") {
		t.Fatalf("banner %q", s.Output())
	}
	trust := &tls.Config{InsecureSkipVerify: true} //nolint:gosec // the certificate was made a moment ago
	c := testclient.Dial(t, s.Addr, key, testclient.DialOptions{Scheme: "wss", Dialer: &ws.Dialer{TLSConfig: trust}})
	c.Established()
	c.Join(secret, "private-test", "")
	app := firstApp(s)
	app.Base = "https://" + s.Addr
	app.Client = &http.Client{Transport: &http.Transport{TLSClientConfig: trust}}
	defer app.Client.CloseIdleConnections()
	app.Post(t, "/events", `{"name":"a","channel":"private-test","data":"1"}`).Expect(t, 200, `{}`)
	c.Expect(`{"event":"a","data":"1","channel":"private-test"}`)
}

func TestInstall(t *testing.T) {
	dir := t.TempDir()
	env := filepath.Join(dir, ".env")
	writeFile(t, env, []byte("APP_NAME=Laravel\nREVERB_APP_ID=42\n"))
	install := func() string {
		cmd := exec.Command(bin, "install")
		cmd.Dir = dir
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("install: %v\n%s", err, out)
		}
		if !strings.Contains(string(out), "Reverb installed successfully.") {
			t.Fatalf("output %s", out)
		}
		text, err := os.ReadFile(env)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	first := install()
	for _, want := range []string{"REVERB_APP_ID=42\n", "REVERB_APP_KEY=", "REVERB_APP_SECRET=", `VITE_REVERB_APP_KEY="${REVERB_APP_KEY}"`} {
		if !strings.Contains(first, want) {
			t.Errorf("no %q in\n%s", want, first)
		}
	}
	if second := install(); second != first {
		t.Errorf("a second install changed the file\n%s", second)
	}
}

func writeFile(t *testing.T, name string, data []byte) {
	t.Helper()
	if err := os.WriteFile(name, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

func selfSigned(t *testing.T) (cert, key []byte) {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "localhost"}, DNSNames: []string{"localhost"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &k.PublicKey, k)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: raw})
}
