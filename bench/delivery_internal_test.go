package bench

import (
	"testing"
	"time"

	"reverb/bench/client"
	"reverb/bench/measure"
)

// delivery makes a function that takes one delivery after the other.
func delivery(t testing.TB) func() {
	t.Helper()
	a, err := newAudience(&rig{set: defaults()}, 1, 1, 1, 1, 1)
	if err != nil {
		t.Fatal(err)
	}
	a.open(newWindow("delivery", 0, time.Hour, a.shards))
	l, seq := &listener{a, 0}, 0
	e := client.Event{Name: []byte("bench"), Channel: []byte("bench-0"), Data: make([]byte, 0, 256)}
	return func() {
		seq++
		e.Data = measure.AppendPayload(e.Data[:0], 0, seq, 1000, 200)
		l.Event(nil, e, 200_000)
	}
}

// BenchmarkDelivery is what the bench itself does for each delivery, beside reading and parsing the frame: it must not be felt at a million
// a second.
func BenchmarkDelivery(b *testing.B) {
	next := delivery(b)
	b.ReportAllocs()
	for b.Loop() {
		next()
	}
}

func TestDeliveryAllocatesNothing(t *testing.T) {
	if n := testing.AllocsPerRun(1000, delivery(t)); n != 0 {
		t.Errorf("%v allocations for each delivery", n)
	}
}
