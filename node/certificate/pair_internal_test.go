package certificate

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"log/slog"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// keyPassphrase opens the keys in testdata/keys, which OpenSSL 3.0 made for these tests.
const keyPassphrase = "correct-horse"

// newKey returns a private key and its PEM.
func newKey(t *testing.T) (crypto.Signer, string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return key, string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

// newCert returns the PEM of a certificate for key, told apart by its serial number.
func newCert(t *testing.T, key crypto.Signer, serial int64) string {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(serial),
		Subject:      pkix.Name{CommonName: "app.test"},
		DNSNames:     []string{"app.test"},
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

// newPair returns a certificate and its key.
func newPair(t *testing.T, serial int64) (cert, key string) {
	t.Helper()
	signer, key := newKey(t)
	return newCert(t, signer, serial), key
}

func write(t *testing.T, name, content string) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// handshake returns what a client sees of a server with config.
func handshake(t *testing.T, config *tls.Config, client *tls.Config) (tls.ConnectionState, error) {
	t.Helper()
	a, b := net.Pipe()
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = tls.Server(a, config).Handshake()
		_ = a.Close()
	}()
	conn := tls.Client(b, client)
	err := conn.Handshake()
	state := conn.ConnectionState()
	_ = b.Close()
	<-done
	return state, err
}

// served returns the serial number of the certificate that c serves now.
func served(t *testing.T, c *Pair) int64 {
	t.Helper()
	state, err := handshake(t, c.TLSConfig(), &tls.Config{InsecureSkipVerify: true})
	if err != nil {
		t.Fatal(err)
	}
	return state.PeerCertificates[0].SerialNumber.Int64()
}

func TestLoadCertificate(t *testing.T) {
	dir := t.TempDir()
	cert, key := newPair(t, 1)
	chain, _ := newPair(t, 2)
	separate := write(t, filepath.Join(dir, "cert.pem"), cert)
	keyFile := write(t, filepath.Join(dir, "key.pem"), key)
	tests := []struct {
		name, cert, key string
	}{
		{"two files", separate, keyFile},
		{"chain", write(t, filepath.Join(dir, "chain.pem"), cert+chain), keyFile},
		{"all in one", write(t, filepath.Join(dir, "all.pem"), cert+chain+key), ""},
		{"key first, with remarks", write(t, filepath.Join(dir, "remarks.pem"), "Bag Attributes\n"+key+"subject=app\n"+cert), ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, err := Load(tt.cert, tt.key, "not needed")
			if err != nil {
				t.Fatal(err)
			}
			if got := served(t, c); got != 1 {
				t.Errorf("got certificate %d, want 1", got)
			}
		})
	}
}

func TestLoadCertificateErrors(t *testing.T) {
	dir := t.TempDir()
	file := func(name, content string) string { return write(t, filepath.Join(dir, name), content) }
	cert, key := newPair(t, 1)
	_, otherKey := newPair(t, 2)
	certFile, keyFile := file("cert.pem", cert), file("key.pem", key)
	keys := filepath.Join("testdata", "keys")
	tests := []struct {
		name, cert, key, passphrase, want string
	}{
		{"no certificate", "", keyFile, "", "no certificate"},
		{"no such certificate", filepath.Join(dir, "none.pem"), keyFile, "", "read certificate: stat"},
		{"no such key", certFile, filepath.Join(dir, "none.pem"), "", "read private key: stat"},
		{"directory", dir, keyFile, "", "is not a file"},
		{"too large", file("large.pem", strings.Repeat("x", maxPEMFile+1)), keyFile, "", "larger than"},
		{"empty", file("empty.pem", ""), keyFile, "", "no PEM certificate"},
		{"certificate without its key", certFile, "", "", "no PEM private key"},
		{"two keys", keyFile, keyFile, "", "no PEM certificate"},
		{"another's key", certFile, file("other.pem", otherKey), "", "does not match"},
		{"damaged certificate", file("damaged.pem", strings.Replace(cert, "\nMII", "\nMIJ", 1)), keyFile, "", "load certificate"},
		{"no passphrase", certFile, filepath.Join(keys, "pkcs8-default.pem"), "", "no passphrase"},
		{"no passphrase, old format", certFile, filepath.Join(keys, "dek-info-ec.pem"), "", "no passphrase"},
		{"wrong passphrase", certFile, filepath.Join(keys, "pkcs8-default.pem"), "secret-guess", "passphrase is wrong"},
		{"wrong passphrase, old format", certFile, filepath.Join(keys, "dek-info-rsa.pem"), "secret-guess", "passphrase is wrong"},
		{"scrypt", certFile, filepath.Join(keys, "unsupported-scrypt.pem"), keyPassphrase, "not supported; PBKDF2 is"},
		{"PBES1", certFile, filepath.Join(keys, "unsupported-pbes1.pem"), keyPassphrase, "not supported; PBES2 is"},
		{"encrypted rubbish", certFile, file("rubbish.pem", "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMAA=\n-----END ENCRYPTED PRIVATE KEY-----\n"), "x", "parse encrypted key"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Load(tt.cert, tt.key, tt.passphrase)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Fatalf("got error %v, want one with %q", err, tt.want)
			}
			if strings.Contains(err.Error(), "secret-guess") {
				t.Errorf("the passphrase is in the error: %v", err)
			}
		})
	}
}

func TestLoadCertificateEncryptedKey(t *testing.T) {
	files, err := filepath.Glob("testdata/keys/[dp]*.pem")
	if err != nil || len(files) < 7 {
		t.Fatalf("keys %v: %v", files, err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			content, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			plain, err := keyBlock(string(content), keyPassphrase)
			if err != nil {
				t.Fatal(err)
			}
			cert := write(t, filepath.Join(t.TempDir(), "cert.pem"), newCert(t, parseKey(t, plain), 7))
			c, err := Load(cert, file, keyPassphrase)
			if err != nil {
				t.Fatal(err)
			}
			if got := served(t, c); got != 7 {
				t.Errorf("got certificate %d, want 7", got)
			}
		})
	}
}

// parseKey reads a decrypted key in any of the formats it may have.
func parseKey(t *testing.T, file []byte) crypto.Signer {
	t.Helper()
	block, _ := pem.Decode(file)
	if key, err := x509.ParsePKCS8PrivateKey(block.Bytes); err == nil {
		return key.(crypto.Signer)
	}
	if key, err := x509.ParseECPrivateKey(block.Bytes); err == nil {
		return key
	}
	key, err := x509.ParsePKCS1PrivateKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func FuzzDecryptPKCS8(f *testing.F) {
	for _, name := range []string{"pkcs8-default.pem", "pkcs8-des3.pem", "unsupported-scrypt.pem"} {
		content, err := os.ReadFile(filepath.Join("testdata", "keys", name))
		if err != nil {
			f.Fatal(err)
		}
		block, _ := pem.Decode(content)
		f.Add(block.Bytes)
	}
	f.Fuzz(func(t *testing.T, der []byte) {
		if plain, err := decryptPKCS8(der, keyPassphrase); err == nil && len(plain) == 0 {
			t.Error("an empty key is no error")
		}
	})
}

func TestTLSConfig(t *testing.T) {
	dir := t.TempDir()
	cert, key := newPair(t, 1)
	c, err := Load(write(t, filepath.Join(dir, "all.pem"), cert+key), "", "")
	if err != nil {
		t.Fatal(err)
	}
	if config := c.TLSConfig(); config.ClientAuth != tls.NoClientCert {
		t.Errorf("clients are asked for a certificate: %v", config.ClientAuth)
	}
	for offered, want := range map[string]string{"": "", "http/1.1": "http/1.1", "h2,http/1.1": "http/1.1"} {
		client := &tls.Config{InsecureSkipVerify: true}
		if offered != "" {
			client.NextProtos = strings.Split(offered, ",")
		}
		state, err := handshake(t, c.TLSConfig(), client)
		if err != nil || state.NegotiatedProtocol != want {
			t.Errorf("offered %q: got %q, %v, want %q", offered, state.NegotiatedProtocol, err, want)
		}
	}
}

// logged passes log messages on to a channel.
type logged struct{ lines chan string }

func (l logged) Enabled(context.Context, slog.Level) bool { return true }
func (l logged) WithAttrs([]slog.Attr) slog.Handler       { return l }
func (l logged) WithGroup(string) slog.Handler            { return l }
func (l logged) Handle(_ context.Context, r slog.Record) error {
	if r.Level >= slog.LevelInfo {
		l.lines <- r.Message
	}
	return nil
}

// watched watches c until the test ends.
func watched(t *testing.T, c *Pair) (waitFor func(part string)) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	lines := make(chan string, 100)
	done := make(chan error, 1)
	go func() { done <- c.Watch(ctx, slog.New(logged{lines})) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return func(part string) {
		t.Helper()
		timeout := time.After(20 * time.Second)
		for {
			select {
			case line := <-lines:
				if strings.Contains(line, part) {
					return
				}
			case <-timeout:
				t.Fatalf("nothing logged with %q", part)
			}
		}
	}
}

func TestWatchCertificate(t *testing.T) {
	dir := t.TempDir()
	certFile, keyFile := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	put := func(serial int64, with func(name, content string)) {
		cert, key := newPair(t, serial)
		with(certFile, cert)
		with(keyFile, key)
	}
	inPlace := func(name, content string) { write(t, name, content) }
	byRename := func(name, content string) {
		if err := os.Rename(write(t, name+".new", content), name); err != nil {
			t.Fatal(err)
		}
	}
	put(1, inPlace)
	c, err := Load(certFile, keyFile, "")
	if err != nil {
		t.Fatal(err)
	}
	put(2, inPlace) // before anyone watches
	waitFor := watched(t, c)
	expect := func(serial int64) {
		t.Helper()
		waitFor("certificate reloaded")
		if got := served(t, c); got != serial {
			t.Fatalf("got certificate %d, want %d", got, serial)
		}
	}
	expect(2)
	put(3, inPlace)
	expect(3)
	put(4, byRename)
	expect(4)

	inPlace(certFile, "rubbish")
	waitFor("the old certificate stays")
	if got := served(t, c); got != 4 {
		t.Fatalf("after rubbish: got certificate %d, want 4", got)
	}
	if err := os.Remove(keyFile); err != nil {
		t.Fatal(err)
	}
	waitFor("the old certificate stays")
	put(5, byRename)
	expect(5)
}

// Kubernetes mounts a secret as links to ..data/…, and renews it by swapping ..data, itself a link.
func TestWatchCertificateSymlinkSwap(t *testing.T) {
	dir := t.TempDir()
	version := func(name string, serial int64) {
		cert, key := newPair(t, serial)
		write(t, filepath.Join(dir, name, "tls.pem"), cert+key)
	}
	link := func(target, name string) {
		if err := os.Symlink(target, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	version("v1", 1)
	link("v1", "..data")
	link(filepath.Join("..data", "tls.pem"), "tls.pem")
	c, err := Load(filepath.Join(dir, "tls.pem"), "", "")
	if err != nil {
		t.Fatal(err)
	}
	waitFor := watched(t, c)
	for _, serial := range []int64{2, 3} {
		name := fmt.Sprint("v", serial)
		version(name, serial)
		link(name, "..data_tmp")
		if err := os.Rename(filepath.Join(dir, "..data_tmp"), filepath.Join(dir, "..data")); err != nil {
			t.Fatal(err)
		}
		waitFor("certificate reloaded")
		if got := served(t, c); got != serial {
			t.Errorf("%s: got certificate %d, want %d", name, got, serial)
		}
	}
}
