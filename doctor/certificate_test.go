package doctor_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"testing"
	"time"

	"reverb/doctor"
)

const day = 24 * time.Hour

// authority signs certificates.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	pem  []byte
}

// issue makes a certificate; parent nil signs itself.
func issue(t *testing.T, parent *authority, name string, isCA bool, from, to time.Time) *authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name}, NotBefore: from, NotAfter: to,
		IsCA: isCA, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	signer := &authority{cert: template, key: key}
	if parent != nil {
		signer = parent
	}
	der, err := x509.CreateCertificate(rand.Reader, template, signer.cert, &key.PublicKey, signer.key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &authority{cert: cert, key: key, pem: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})}
}

// pair is what a server serves.
func (a *authority) pair(t *testing.T, chain ...*authority) tls.Certificate {
	t.Helper()
	c := tls.Certificate{Certificate: [][]byte{a.cert.Raw}, PrivateKey: a.key}
	for _, over := range chain {
		c.Certificate = append(c.Certificate, over.cert.Raw)
	}
	return c
}

func TestCertificateFiles(t *testing.T) {
	now := time.Now()
	root := issue(t, nil, "Root", true, now.Add(-day), now.Add(1000*day))
	between := issue(t, root, "Between", true, now.Add(-day), now.Add(1000*day))
	leaf := func(name string, from, to time.Duration) []byte {
		return append(issue(t, between, name, false, now.Add(from), now.Add(to)).pem, between.pem...)
	}
	good := leaf("ws.shop.test", -day, 80*day)
	alone := issue(t, between, "ws.shop.test", false, now.Add(-day), now.Add(80*day)).pem
	self := issue(t, nil, "ws.shop.test", false, now.Add(-day), now.Add(80*day)).pem
	for _, c := range []struct {
		name   string
		pem    []byte
		pair   error
		check  string
		status doctor.Status
		says   string
	}{
		{"good", good, nil, "tls.files", doctor.OK, "79 days left"},
		{"key does not match", good, errors.New("private key does not match public key"), "tls.files", doctor.Failure, "does not match"},
		{"nothing in it", []byte("x"), nil, "tls.files", doctor.Failure, "no certificate"},
		{"expired", leaf("ws.shop.test", -90*day, -day), nil, "tls.expiry", doctor.Failure, "expired on"},
		{"not yet", leaf("ws.shop.test", day, 90*day), nil, "tls.expiry", doctor.Failure, "not valid before"},
		{"soon", leaf("ws.shop.test", -80*day, 10*day), nil, "tls.expiry", doctor.Warning, "certbot"},
		{"short-lived and young", leaf("ws.shop.test", -day, 5*day), nil, "tls.files", doctor.OK, "4 days left"},
		{"other name", leaf("www.shop.test", -day, 80*day), nil, "tls.name", doctor.Failure, "for www.shop.test, not for ws.shop.test"},
		{"without the chain", alone, nil, "tls.chain", doctor.Warning, "fullchain.pem"},
		{"signed by itself", self, nil, "tls.chain", doctor.Warning, "by itself"},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := options(t, site, "[server.tls]\ncert = \"/c.pem\"\nkey = \"/k.pem\"\n")
			files := machine()
			files["/c.pem"] = string(c.pem)
			o.Probes = probes(files)
			o.Probes.Roots = x509.NewCertPool()
			o.Probes.Roots.AddCert(root.cert)
			o.Probes.KeyPair = func(string, string, string) error { return c.pair }
			expect(t, run(t, o), c.check, c.status, c.says)
		})
	}
}
