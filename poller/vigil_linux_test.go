package poller_test

import (
	"runtime"
	"testing"

	"github.com/gobwas/ws"

	"reverb/poller"
)

func TestVigil(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	v, err := poller.NewVigil()
	if err != nil {
		t.Fatal(err)
	}
	h := newHandler()
	h.message = echo
	s := start(t, poller.Config{Loops: 1, Vigil: v}, h, false)
	c := s.open(t)
	for _, on := range []bool{true, false, true} { // on when the server ends
		v.Set(on)
		c.send("hello")
		c.expect(ws.OpText, "hello")
	}
}

func TestNoVigilOnSeveralProcessors(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(2))
	v, err := poller.NewVigil()
	if v != nil || err != nil {
		t.Errorf("got %v, %v", v, err)
	}
	v.Set(true)
	v.Set(false)
}
