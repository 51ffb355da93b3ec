package server_test

import (
	"strings"
	"testing"
	"time"

	"reverb/server"
)

func TestOriginAllowed(t *testing.T) {
	tests := []struct {
		allowed string
		origin  string
		want    bool
	}{
		{"*", "", true},
		{"*", "null", true},
		{"a.com *", "http://b.com", true},
		{"localhost", "http://localhost", true},
		{"localhost", "http://localhost:3000", true},
		{"localhost", "capacitor://localhost", true},
		{"localhost", "localhost", false},
		{"laravel.com", "http://localhost", false},
		{"laravel.com", "http://sub.laravel.com", false},
		{"*.laravel.com", "http://laravel.com", false},
		{"*.laravel.com", "http://a.b.laravel.com", true},
		{"localhost *.localhost", "http://sub.localhost", true},
		{"laravel.com", "http://Laravel.com", false},
		{"laravel.com", "http://laravel.com.evil.org", false},
		{"laravel.com", "http://laravel.com@evil.org", false},
		{"laravel.com", "http://evil.org/laravel.com", false},
		{"laravel.com", "http://evil.org?laravel.com", false},
		{"laravel.com", "null", false},
		{"laravel.com", "", false},
		{"[::1]", "http://[::1]:8080", true},
		{"a.*.com", "http://a.b.c.com", true},
		{"", "http://a.com", false},
	}
	for _, tt := range tests {
		if got := server.OriginAllowed(strings.Fields(tt.allowed), tt.origin); got != tt.want {
			t.Errorf("originAllowed(%q, %q) = %v, want %v", tt.allowed, tt.origin, got, tt.want)
		}
	}
}

func TestGlob(t *testing.T) {
	tests := []struct {
		pattern, s string
		want       bool
	}{
		{"a*", "a", true},
		{"b*", "a", false},
		{"*a", "ba", true},
		{"*a", "ab", false},
		{"a*a", "a", false},
		{"a*a", "aa", true},
		{"a**b", "ab", true},
		{"*ab*ab", "ab", false},
		{"*ab*ab", "abab", true},
		{"*ab*ab", "aabxab", true},
		{"a*b*c", "aXbYbZc", true},
		{"a*b*c", "aXcYb", false},
		{"", "", true},
		{"", "a", false},
		{"a.c", "abc", false},
	}
	for _, tt := range tests {
		if got := server.Glob(tt.pattern, tt.s); got != tt.want {
			t.Errorf("glob(%q, %q) = %v, want %v", tt.pattern, tt.s, got, tt.want)
		}
	}
}

// A matcher that backtracks would not come back from this one.
func TestGlobDoesNotBacktrack(t *testing.T) {
	begun := time.Now()
	if server.Glob(strings.Repeat("*a", 50)+"*b", strings.Repeat("a", 16<<10)) {
		t.Error("matched")
	}
	if took := time.Since(begun); took > 20*time.Second {
		t.Errorf("took %v", took)
	}
}

func FuzzOrigin(f *testing.F) {
	f.Add("*.laravel.com", "https://user@sub.laravel.com:8443/x?y#z")
	f.Add("[::1]", "http://[::1")
	f.Fuzz(func(t *testing.T, pattern, origin string) {
		server.OriginAllowed([]string{pattern}, origin)
		if !server.Glob(strings.ReplaceAll(origin, "*", "x"), strings.ReplaceAll(origin, "*", "x")) {
			t.Errorf("%q does not match itself", origin)
		}
	})
}
