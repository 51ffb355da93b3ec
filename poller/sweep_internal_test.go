package poller

import (
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// The connections with a deadline are always the first ones of the table, whatever came and went.
func TestTableAgainstModel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &Poller{start: time.Now()}
		tab := &table{poller: p}
		rnd := rand.New(rand.NewPCG(1, 2))
		deadlines := make(map[*conn]time.Time) // zero is none
		for range 5000 {
			switch c := anyOf(tab.conns, rnd); {
			case c == nil || rnd.IntN(4) == 0:
				c, timeout := new(conn), time.Duration(1+rnd.IntN(1000))*time.Second
				tab.add(c, timeout)
				deadlines[c] = time.Now().Add(timeout)
			case rnd.IntN(3) == 0:
				tab.remove(c)
				delete(deadlines, c)
			case rnd.IntN(2) == 0:
				tab.settle(c)
				deadlines[c] = time.Time{}
			default:
				tab.schedule(c, time.Minute)
				deadlines[c] = time.Now().Add(time.Minute)
			}
			time.Sleep(time.Second) // the bubble's clock
			for _, c := range tab.expired(nil, p.after(0)) {
				if d := deadlines[c]; d.IsZero() || d.After(time.Now()) {
					t.Fatal("expired before its time")
				}
				deadlines[c] = time.Time{}
			}
			for c, d := range deadlines {
				if !d.IsZero() && !d.After(time.Now()) {
					t.Fatal("missed by the sweep")
				}
				if tab.conns[c.slot] != c || (int(c.slot) < tab.timed) == d.IsZero() {
					t.Fatalf("slot %d of %d timed, deadline %v", c.slot, tab.timed, d)
				}
			}
			if len(tab.all()) != len(deadlines) || slices.Contains(tab.conns, nil) {
				t.Fatalf("%d connections, want %d", len(tab.conns), len(deadlines))
			}
		}
	})
}

func anyOf(conns []*conn, rnd *rand.Rand) *conn {
	if len(conns) == 0 {
		return nil
	}
	return conns[rnd.IntN(len(conns))]
}
