package config

import "testing"

// The answers are those of Str::slug with voku/portable-ascii 2.
func TestSlug(t *testing.T) {
	for name, want := range map[string]string{
		"Laravel": "laravel", "My Shop": "my-shop", "foo_bar  baz--x": "foo-bar-baz-x", "A+B @ home": "ab-at-home", " x ": "x", "": "",
		"Café": "cafe", "Cafe\u0301": "cafe", "Müller & Söhne": "muller-sohne", "Zażółć gęślą": "zazolc-gesla", "Ångström": "angstrom",
		"Straße": "strasse", "Smørrebrød": "smorrebrod", "ŒUVRE": "oeuvre", "naïve–shop": "naive-shop", "L’été": "lete",
		"Türkiye İstanbul ığ": "turkiye-istanbul-ig", "Đà Nẵng": "da-nang", "Þór": "thor", "a\u00a0b": "a-b", "Shop™ 😀": "shop",
	} {
		if got, exact := slug(name); got != want || !exact {
			t.Errorf("slug of %q is %q, exact %v; want %q", name, got, exact, want)
		}
	}
	for _, name := range []string{"Привет", "Ελλάδα", "日本語", "مرحبا", "x€", "ǅ"} {
		if _, exact := slug(name); exact {
			t.Errorf("slug of %q is said to be exact", name)
		}
	}
}
