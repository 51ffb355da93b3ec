package certificate

import (
	"crypto/tls"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync/atomic"
)

// Pair is the server's key pair out of PEM files, as they are now: Watch follows the files. Its methods may be called
// from any goroutine. A nil Pair is that of a plain server.
type Pair struct {
	// constant
	certFile, keyFile string // the same when the certificate's file holds the key too
	passphrase        string

	current atomic.Pointer[loaded]
}

// loaded is what was loaded, and the bytes it was loaded from.
type loaded struct {
	files pemFiles
	tls   tls.Certificate
}

// pemFiles is the content of the two files.
type pemFiles struct{ cert, key string }

// Load reads the PEM file cert, with the chain if there is one, and its private key from the file key,
// or from cert too when key is empty. passphrase opens an encrypted key and is ignored for others. What is wrong is
// told here, at start (Reverb starts, and fails every handshake).
func Load(cert, key, passphrase string) (*Pair, error) {
	if cert == "" {
		return nil, errors.New("load certificate: a key is given, but no certificate")
	}
	p := &Pair{certFile: cert, keyFile: key, passphrase: passphrase}
	if key == "" {
		p.keyFile = cert
	}
	files, err := p.read()
	if err != nil {
		return nil, err
	}
	return p, p.use(files)
}

// TLSConfig returns a configuration that serves the certificate as it is at the time of each handshake. Clients are
// never asked for one of their own (Reverb asks, in production, when it looked its certificate up). The configuration
// is the caller's own; that of a nil Pair is nil.
func (p *Pair) TLSConfig() *tls.Config {
	if p == nil {
		return nil
	}
	return &tls.Config{
		MinVersion: tls.VersionTLS12,
		ClientAuth: tls.NoClientCert,
		NextProtos: []string{"http/1.1"},
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
			return &p.current.Load().tls, nil
		},
	}
}

// read returns what is in the files now.
func (p *Pair) read() (files pemFiles, err error) {
	if files.cert, err = readPEM("certificate", p.certFile); err != nil {
		return files, err
	}
	files.key = files.cert
	if p.keyFile != p.certFile {
		files.key, err = readPEM("private key", p.keyFile)
	}
	return files, err
}

// use serves what is in files from now on. When that is no key pair, nothing changes.
func (p *Pair) use(files pemFiles) error {
	cert, err := certificateBlocks(files.cert)
	if err != nil {
		return fmt.Errorf("load certificate %s: %w", p.certFile, err)
	}
	key, err := keyBlock(files.key, p.passphrase)
	if err != nil {
		return fmt.Errorf("load private key %s: %w", p.keyFile, err)
	}
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		return fmt.Errorf("load certificate %s with private key %s: %w", p.certFile, p.keyFile, err)
	}
	p.current.Store(&loaded{files: files, tls: pair})
	return nil
}

// maxPEMFile bounds what is read of a file, in bytes: a long chain has some ten thousand.
const maxPEMFile = 1 << 20

func readPEM(what, name string) (string, error) {
	info, err := os.Stat(name)
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s is not a file", name)
	}
	if err == nil && info.Size() > maxPEMFile {
		err = fmt.Errorf("%s is larger than %d bytes", name, maxPEMFile)
	}
	var b []byte
	if err == nil {
		b, err = os.ReadFile(name)
	}
	if err != nil {
		return "", fmt.Errorf("read %s: %w", what, err)
	}
	return string(b), nil
}

// certificateBlocks returns the certificates of a PEM file: the server's, then its chain.
func certificateBlocks(file string) ([]byte, error) {
	var certs []byte
	for block, rest := pem.Decode([]byte(file)); block != nil; block, rest = pem.Decode(rest) {
		if block.Type == "CERTIFICATE" {
			certs = append(certs, pem.EncodeToMemory(block)...)
		}
	}
	if certs == nil {
		return nil, errors.New("there is no PEM certificate in the file")
	}
	return certs, nil
}

// keyBlock returns the first private key of a PEM file, decrypted.
func keyBlock(file, passphrase string) ([]byte, error) {
	for block, rest := pem.Decode([]byte(file)); block != nil; block, rest = pem.Decode(rest) {
		if block.Type != "PRIVATE KEY" && !strings.HasSuffix(block.Type, " PRIVATE KEY") {
			continue
		}
		block, err := decryptKey(block, passphrase)
		if err != nil {
			return nil, err
		}
		return pem.EncodeToMemory(block), nil
	}
	return nil, errors.New("there is no PEM private key in the file")
}
