package protocol_test

import (
	"regexp"
	"testing"

	"reverb/protocol"
)

func TestNewSocketID(t *testing.T) {
	syntax := regexp.MustCompile(`^[1-9][0-9]{0,9}\.[1-9][0-9]{0,9}$`)
	seen := map[protocol.SocketID]bool{}
	for range 1000 {
		id := protocol.NewSocketID()
		text := id.String()
		if id.IsZero() || seen[id] || !syntax.MatchString(text) {
			t.Fatalf("NewSocketID = %q, zero %v, seen before %v", text, id.IsZero(), seen[id])
		}
		seen[id] = true
		if back, ok := protocol.ParseSocketID(text); !ok || back != id {
			t.Errorf("ParseSocketID(%q) = %v, %v", text, back, ok)
		}
	}
}

func TestParseSocketID(t *testing.T) {
	for _, s := range []string{"1.1", "1234.5678", "1000000000.1000000000", "4294967295.0", "0.1"} {
		if id, ok := protocol.ParseSocketID(s); !ok || id.String() != s || string(id.AppendTo([]byte("x"))) != "x"+s {
			t.Errorf("ParseSocketID(%q) = %v, %v", s, id, ok)
		}
	}
	for _, s := range []string{
		"", ".", "1", "1.", ".1", "01.1", "1.01", "1.1.1", "1,1", " 1.1", "1.1\n", "-1.1", "+1.1", "1.1x", "0.0", "00.1",
		"4294967296.1", "1.99999999999999999999999999", "1٠.1",
	} {
		if id, ok := protocol.ParseSocketID(s); ok || !id.IsZero() && s == "" {
			t.Errorf("ParseSocketID(%q) = %v", s, id)
		}
	}
	if none := (protocol.SocketID{}); none.String() != "" || len(none.AppendTo(nil)) != 0 || !none.IsZero() {
		t.Errorf("zero SocketID is %q", none)
	}
}

func FuzzSocketID(f *testing.F) {
	for _, s := range []string{"1.1", "905761171.52956978", "01.1", "1.", ".1", "4294967296.1", "1.1\n"} {
		f.Add(s)
	}
	syntax := regexp.MustCompile(`^[0-9]+\.[0-9]+\z`)
	f.Fuzz(func(t *testing.T, s string) {
		if got := protocol.ValidSocketIDSyntax(s); got != syntax.MatchString(s) {
			t.Errorf("ValidSocketIDSyntax(%q) = %v", s, got)
		}
		if id, ok := protocol.ParseSocketID(s); ok && (id.String() != s || !protocol.ValidSocketIDSyntax(s)) {
			t.Errorf("ParseSocketID(%q) = %v", s, id)
		}
	})
}
