package doctor

import (
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"time"
)

// fewDays is the rest of a certificate's life from which on its renewal seems to have failed. Certificates that live
// only for weeks are judged by a fifth of their life.
const fewDays = 14

const renewal = "renew it (certbot renew, or whatever made it) and look at why that did not happen by itself"

// certificates is the part about the files that the server serves, and the judge of any chain.
type certificates struct{ *examination }

// check examines what the server itself serves.
func (e certificates) check() {
	const check, title = "tls.files", "Certificate"
	if !e.usable {
		e.skip(check, title, "the configuration cannot be used")
		return
	}
	if e.o.CertFile == "" && e.o.KeyFile == "" {
		e.skip(check, title, "none is configured: the server speaks plain HTTP, TLS is the proxy's")
		return
	}
	if err := e.probes.KeyPair(e.o.CertFile, e.o.KeyFile, e.o.Passphrase); err != nil {
		e.fail(check, title, short(err.Error()), "the server does not start", "config.toml: [server.tls] cert, key and passphrase", "the files must be readable for the server's user")
		return
	}
	text, err := e.probes.ReadFile(e.o.CertFile)
	chain := parseChain(text)
	if err != nil || len(chain) == 0 {
		e.fail(check, title, "there is no certificate in "+e.o.CertFile, "the server does not start", "config.toml: [server.tls] cert")
		return
	}
	if !e.judge("tls", chain, e.public.host) {
		return
	}
	e.ok(check, title, "%s: key and name match, %s", e.o.CertFile, daysLeft(chain[0], e.probes.Now()))
}

func parseChain(text []byte) []*x509.Certificate {
	var chain []*x509.Certificate
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		if block.Type != "CERTIFICATE" {
			continue
		}
		if c, err := x509.ParseCertificate(block.Bytes); err == nil {
			chain = append(chain, c)
		}
	}
	return chain
}

// judge tells what is wrong with a chain for host, and whether nothing is. host "" is not compared.
func (e certificates) judge(section string, chain []*x509.Certificate, host string) bool {
	before := e.report.Failures + e.report.Warnings
	leaf, now := chain[0], e.probes.Now()
	left, life := leaf.NotAfter.Sub(now), leaf.NotAfter.Sub(leaf.NotBefore)
	switch {
	case left < 0:
		e.fail(section+".expiry", "Certificate's time", fmt.Sprintf("it expired on %s", leaf.NotAfter.Format(time.DateOnly)), "browsers and Laravel refuse every connection", renewal)
	case now.Before(leaf.NotBefore):
		e.fail(section+".expiry", "Certificate's time", fmt.Sprintf("it is not valid before %s", leaf.NotBefore.Format(time.DateTime)), "browsers and Laravel refuse every connection", "timedatectl # is the clock right?")
	case left < min(fewDays*24*time.Hour, life/5):
		e.warn(section+".expiry", "Certificate's time", daysLeft(leaf, now), "after that, browsers and Laravel refuse every connection", renewal)
	}
	if host != "" {
		if err := leaf.VerifyHostname(host); err != nil {
			e.fail(section+".name", "Certificate's name", fmt.Sprintf("it is for %s, not for %s", names(leaf), host), "browsers and Laravel refuse every connection",
				"a certificate for "+host, "or .env: REVERB_HOST, a name of the certificate")
		}
	}
	e.judgeChain(section, chain, now)
	return e.report.Failures+e.report.Warnings == before
}

// judgeChain looks whether the certificate leads to an authority that this machine trusts.
func (e certificates) judgeChain(section string, chain []*x509.Certificate, now time.Time) {
	between := x509.NewCertPool()
	for _, c := range chain[1:] {
		between.AddCert(c)
	}
	_, err := chain[0].Verify(x509.VerifyOptions{Roots: e.probes.Roots, Intermediates: between, CurrentTime: now})
	var unknown x509.UnknownAuthorityError
	leaf := chain[0]
	switch {
	case !errors.As(err, &unknown):
		return // another fault is told elsewhere
	case leaf.Subject.String() == leaf.Issuer.String():
		e.warn(section+".chain", "Certificate's authority", "it is signed by itself", "browsers and Laravel refuse it unless each of them was told to trust it", "a certificate of Let's Encrypt, or mkcert for development")
	case len(chain) == 1:
		e.warn(section+".chain", "Certificate's authority", "the file or server has the certificate alone, and this machine does not know who signed it: "+short(leaf.Issuer.CommonName),
			"Laravel, phones and curl refuse it; some browsers fetch the missing part, so that it seems to work", "use the full chain (Let's Encrypt: fullchain.pem, not cert.pem)")
	default:
		e.warn(section+".chain", "Certificate's authority", "this machine does not trust it: "+short(chain[len(chain)-1].Issuer.CommonName), "Laravel on this machine refuses to publish; browsers do if they do not know it either",
			"install the authority: update-ca-certificates; or a certificate of a public one")
	}
}

func names(c *x509.Certificate) string {
	switch n := len(c.DNSNames); {
	case n == 1:
		return short(c.DNSNames[0])
	case n > 1:
		return fmt.Sprintf("%s and %d more", short(c.DNSNames[0]), n-1)
	case len(c.IPAddresses) > 0:
		return c.IPAddresses[0].String()
	}
	return "no name"
}

func daysLeft(c *x509.Certificate, now time.Time) string {
	days := int(c.NotAfter.Sub(now).Hours() / 24)
	return fmt.Sprintf("%s left, until %s", count(days, "day"), c.NotAfter.Format(time.DateOnly))
}
