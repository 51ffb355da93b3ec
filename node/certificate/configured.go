package certificate

import "reverb/config"

// FilesOf are the files of the certificate of a secure server; found is false for a plain one. The configured files win
// over those that Herd or Valet made for the hostname (Reverb: Certificate), whose keys have no passphrase.
func FilesOf(s config.Server) (cert, key, passphrase string, found bool) {
	if s.TLS.Cert != "" || s.TLS.Key != "" {
		return s.TLS.Cert, s.TLS.Key, s.TLS.Passphrase, true
	}
	cert, key, found = Lookup(s.Hostname)
	return cert, key, "", found
}

// Of loads the certificate of a secure server; nil is that of a plain one. A file that cannot be used is an error here:
// Reverb would start "secure" and fail every handshake.
func Of(s config.Server) (*Pair, error) {
	cert, key, passphrase, found := FilesOf(s)
	if !found {
		return nil, nil //nolint:nilnil // a plain server has no certificate
	}
	return Load(cert, key, passphrase)
}
