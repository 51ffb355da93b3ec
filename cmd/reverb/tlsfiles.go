package main

import (
	"crypto/tls"

	"reverb/config"
	"reverb/poller"
)

// loadCertificate finds the certificate of a secure server; nil means that the server is not one. The configured files win over those
// that Herd or Valet made for the hostname (Reverb: Certificate). A file that cannot be used ends the start: Reverb would start
// "secure" and fail every handshake.
func loadCertificate(s config.Server) (*poller.Certificate, error) {
	cert, key, passphrase := s.TLS.Cert, s.TLS.Key, s.TLS.Passphrase
	if cert == "" && key == "" {
		var found bool
		if cert, key, found = poller.LookupCertificate(s.Hostname); !found {
			return nil, nil
		}
		passphrase = ""
	}
	certificate, err := poller.LoadCertificate(cert, key, passphrase)
	if err != nil {
		return nil, err // says which file and what is wrong
	}
	return certificate, nil
}

// tlsConfig is nil for a plain server, which is what the poller wants then.
func tlsConfig(certificate *poller.Certificate) *tls.Config {
	if certificate == nil {
		return nil
	}
	return certificate.TLSConfig()
}
