package certificate

import (
	"net/url"
	"os"
	"path/filepath"
	"strings"
)

// certificateFolders are where Laravel's development tools keep certificates, below the home directory: Herd first,
// then Valet (Reverb: Certificate).
var certificateFolders = []string{
	"Library/Application Support/Herd/config/valet/Certificates",
	".config/valet/Certificates",
}

// Lookup finds the files of the certificate that Herd or Valet made for hostname, which may be a URL. Both
// files must be in the same folder; parent domains and wildcards are not tried.
func Lookup(hostname string) (cert, key string, ok bool) {
	host := hostOf(hostname)
	home, err := os.UserHomeDir()
	if err != nil || host == "" || host == "." || host == ".." || strings.ContainsAny(host, `/\`) {
		return "", "", false
	}
	for _, folder := range certificateFolders {
		base := filepath.Join(home, filepath.FromSlash(folder), host)
		if isFile(base+".crt") && isFile(base+".key") {
			return base + ".crt", base + ".key", true
		}
	}
	return "", "", false
}

// hostOf returns the host of a URL or of host:port, or else the name itself.
func hostOf(hostname string) string {
	for _, prefix := range []string{"", "//"} {
		if u, err := url.Parse(prefix + hostname); err == nil && u.Hostname() != "" {
			return u.Hostname()
		}
	}
	return hostname
}

func isFile(name string) bool {
	info, err := os.Stat(name)
	return err == nil && info.Mode().IsRegular()
}
