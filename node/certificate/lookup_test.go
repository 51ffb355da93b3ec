package certificate_test

import (
	"os"
	"path/filepath"
	"testing"

	"reverb/node/certificate"
)

func TestLookupCertificate(t *testing.T) {
	home := t.TempDir()
	t.Setenv("HOME", home)
	herd := filepath.Join(home, "Library", "Application Support", "Herd", "config", "valet", "Certificates")
	valet := filepath.Join(home, ".config", "valet", "Certificates")
	for _, file := range []string{
		filepath.Join(valet, "valet.test.crt"), filepath.Join(valet, "valet.test.key"),
		filepath.Join(herd, "herd.test.crt"), filepath.Join(herd, "herd.test.key"),
		filepath.Join(herd, "both.test.crt"), filepath.Join(herd, "both.test.key"),
		filepath.Join(valet, "both.test.crt"), filepath.Join(valet, "both.test.key"),
		filepath.Join(herd, "split.test.crt"), filepath.Join(valet, "split.test.key"),
		filepath.Join(herd, "half.test.crt"),
		filepath.Join(valet, "half.test.crt"), filepath.Join(valet, "half.test.key"),
	} {
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	tests := []struct{ hostname, folder, name string }{
		{"valet.test", valet, "valet.test"},
		{"herd.test", herd, "herd.test"},
		{"both.test", herd, "both.test"},
		{"half.test", valet, "half.test"},
		{"https://valet.test:8080/x", valet, "valet.test"},
		{"https://herd.test", herd, "herd.test"},
		{"//valet.test", valet, "valet.test"},
		{"valet.test:8080", valet, "valet.test"},
		{"split.test", "", ""},
		{"none.test", "", ""},
		{"sub.valet.test", "", ""},
		{"", "", ""},
		{"..", "", ""},
		{"../Certificates/valet.test", "", ""},
		{"https://%zz", "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.hostname, func(t *testing.T) {
			cert, key, ok := certificate.Lookup(tt.hostname)
			base := filepath.Join(tt.folder, tt.name)
			if want := tt.folder != ""; ok != want || ok && (cert != base+".crt" || key != base+".key") {
				t.Errorf("got %q, %q, %t, want %q", cert, key, ok, base)
			}
		})
	}
}
