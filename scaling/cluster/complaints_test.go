package cluster_test

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"

	"reverb/internal/redistest"
	"reverb/scaling"
	"reverb/scaling/cluster"
)

// full is a node whose subscribers do not keep up.
type full struct{ *peer }

func (full) Deliver(scaling.Message) error { return errors.New("too much waits") }

// What goes wrong with each message is counted each time and logged once.
func TestTroubleIsLoggedOnce(t *testing.T) {
	s := redistest.Start(t)
	var log bytes.Buffer
	var dropped atomic.Int64
	o := peerOptions(s)
	o.Log = slog.New(slog.NewTextHandler(&log, nil))
	o.Dropped = func(reason string, n int) {
		if reason == "relay_backlog" {
			dropped.Add(int64(n))
		}
	}
	r, err := cluster.New(o)
	if err != nil {
		t.Fatal(err)
	}
	b := newPeer(t, r)
	if err := r.Start(full{b}); err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	a := startPeer(t, peerOptions(s))
	b.subscribe("presence-den")
	b.subscribe("room")
	const n = 100
	for range n {
		s.Do("PUBLISH", "reverb:{app/presence-den}", "\x02\x01+")
		a.publish("room", "x")
	}
	await(t, "all are dropped", func() bool { return dropped.Load() == n })
	r.Close()
	for _, what := range []string{"deliver a message", "change of a roster"} {
		if got := strings.Count(log.String(), what); got != 1 {
			t.Errorf("%d lines of %q", got, what)
		}
	}
}
