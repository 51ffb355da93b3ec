package protocol_test

import (
	"strings"
	"testing"

	"reverb/protocol"
)

func TestKind(t *testing.T) {
	tests := []struct{ name, reverb, pusher string }{
		{"foo", "public", "public"},
		{"", "public", "public"},
		{"private-foo", "private", "private"},
		{"private-", "private", "private"},
		{"privatefoo", "private", "public"},
		{"Private-foo", "public", "public"},
		{"xprivate-foo", "public", "public"},
		{"presence-foo", "presence", "presence"},
		{"presencefoo", "presence", "public"},
		{"cache-foo", "cache", "cache"},
		{"cachefoo", "cache", "public"},
		{"private-cache-foo", "private-cache", "private-cache"},
		{"private-cachefoo", "private", "private"},
		{"presence-cache-foo", "presence-cache", "presence-cache"},
		{"private-encrypted-foo", "private-encrypted", "private-encrypted"},
		{"private-encrypted-cache-foo", "private-encrypted", "private-encrypted-cache"},
		{"#server-to-user-1", "public", "public"},
	}
	for _, tt := range tests {
		if got := protocol.KindOf(tt.name).String(); got != tt.reverb {
			t.Errorf("KindOf(%q) = %s, want %s", tt.name, got, tt.reverb)
		}
		if got := protocol.StrictKindOf(tt.name).String(); got != tt.pusher {
			t.Errorf("StrictKindOf(%q) = %s, want %s", tt.name, got, tt.pusher)
		}
		k := protocol.StrictKindOf(tt.name)
		private, presence := strings.HasPrefix(tt.pusher, "private"), strings.HasPrefix(tt.pusher, "presence")
		if k.IsPresence() != presence || k.NeedsAuth() != (private || presence) || k.IsPublic() == k.NeedsAuth() ||
			k.IsCache() != strings.Contains(tt.pusher, "cache") || k.IsEncrypted() != strings.Contains(tt.pusher, "encrypted") {
			t.Errorf("%q: wrong properties of %v", tt.name, k)
		}
	}
	if s := protocol.Kind(255).String(); s != "unknown" {
		t.Errorf("impossible kind is %q", s)
	}
}

func TestValidNames(t *testing.T) {
	const all = "azAZ09-_=@,.;"
	for _, tt := range []struct {
		name  string
		limit int
		want  bool
	}{
		{all, 0, true}, {all, len(all), true}, {all, len(all) - 1, false}, {"", 0, false},
		{"a b", 0, false}, {"a/b", 0, false}, {"é", 0, false}, {"#a", 0, false}, {"a\n", 0, false}, {"[", 0, false},
		{"`", 0, false}, {"{", 0, false}, {"\x00", 0, false},
	} {
		if got := protocol.ValidChannelName(tt.name, tt.limit); got != tt.want {
			t.Errorf("ValidChannelName(%q, %d) = %v", tt.name, tt.limit, got)
		}
	}
	for _, tt := range []struct {
		name  string
		limit int
		want  bool
	}{{"a b/é", 0, true}, {"abc", 3, true}, {"abc", 2, false}, {"", 0, false}} {
		if got := protocol.ValidEventName(tt.name, tt.limit); got != tt.want {
			t.Errorf("ValidEventName(%q, %d) = %v", tt.name, tt.limit, got)
		}
	}
}
