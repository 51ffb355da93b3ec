package management

import (
	"net/netip"
	"testing"
)

// A guesser who has the addresses of a whole provider does not fill the memory, and keeps nobody out.
func TestManySourcesLeaveRoom(t *testing.T) {
	var a attempts
	at := func(i int) source {
		return source{client: netip.PrefixFrom(netip.AddrFrom4([4]byte{192, 0, byte(i >> 8), byte(i)}), 32)}
	}
	for i := range 3 * maxSources {
		if _, ok := a.begin(at(i)); !ok {
			t.Fatalf("source %d has to wait", i)
		}
		a.end(at(i), false)
	}
	if len(a.due) > maxSources {
		t.Errorf("%d sources are remembered, want %d at most", len(a.due), maxSources)
	}
}

// Strangers who all try at once leave room for those who are known.
func TestStrangersDoNotFillTheQueue(t *testing.T) {
	var a attempts
	at := func(i int) source {
		return source{client: netip.PrefixFrom(netip.AddrFrom4([4]byte{192, 0, 2, byte(i)}), 32)}
	}
	for i := range maxChecks {
		if _, ok := a.begin(at(i)); !ok {
			t.Fatalf("stranger %d has to wait", i)
		}
	}
	if _, ok := a.begin(at(maxChecks)); ok {
		t.Error("one stranger too many was let in")
	}
	if _, ok := a.begin(source{device: "known"}); !ok {
		t.Error("the known browser has to wait")
	}
}
