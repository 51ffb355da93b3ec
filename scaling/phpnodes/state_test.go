package phpnodes_test

import (
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"reverb/outbound"
	"reverb/protocol"
	"reverb/scaling"
	"reverb/scaling/phpnodes"
)

func TestPeers(t *testing.T) {
	now := time.Unix(0, 0)
	p := phpnodes.NewPeers()
	for _, step := range []struct {
		node  string
		seq   uint64
		fresh bool
		lost  uint64
	}{
		{"a", 5, true, 0}, {"a", 6, true, 0}, {"a", 6, false, 0}, {"a", 3, false, 0}, {"b", 1, true, 0}, {"a", 10, true, 3}, {"b", 2, true, 0},
	} {
		if fresh, lost := p.Take(step.node, step.seq, now); fresh != step.fresh || lost != step.lost {
			t.Errorf("%s %d: %v, %d lost, want %v, %d", step.node, step.seq, fresh, lost, step.fresh, step.lost)
		}
	}
}

// However many ids are made up, memory is bounded, and those that were silent make room.
func TestPeersAreBounded(t *testing.T) {
	now := time.Unix(0, 0)
	p := phpnodes.NewPeers()
	for i := range 1000 {
		p.Take(fmt.Sprint(i), 1, now)
	}
	if fresh, _ := p.Take("999", 1, now); !fresh {
		t.Error("the thousandth is followed, want it passed on")
	}
	now = now.Add(time.Hour)
	p.Take("new", 5, now)
	if fresh, _ := p.Take("new", 5, now); fresh {
		t.Error("a new one is not followed after the old ones were forgotten")
	}
}

func TestInbox(t *testing.T) {
	b := phpnodes.NewInbox(1000)
	if !b.Put(make([]byte, 5000)) {
		t.Error("an empty inbox refused a large message")
	}
	if b.Put([]byte("a")) {
		t.Error("a full inbox took a message")
	}
	var got []int
	done := make(chan struct{})
	go func() {
		defer close(done)
		b.Work(func(text []byte) {
			if len(text) == 5000 && !b.Put([]byte("too much")) && len(got) == 0 { // what is at hand still counts
				got = append(got, -1)
			}
			got = append(got, len(text))
			if len(text) == 3 {
				b.Close()
			}
		})
	}()
	for n := range 4 {
		for !b.Put(make([]byte, n)) {
			runtime.Gosched()
		}
	}
	<-done
	if want := []int{-1, 5000, 0, 1, 2, 3}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if !b.Put(nil) {
		t.Error("a closed inbox complains")
	}
}

// Those who could not come in are not there, and who came twice leaves twice.
func TestAttendance(t *testing.T) {
	r, h, nodes := idle(t)
	room := scaling.Join{App: app.ID, Channel: "presence-room", Kind: protocol.KindOf("presence-room")}
	event := message(`{"event":"e","channel":"presence-room"}`, "")
	deliveries := func() int {
		h.delivered = nil
		r.Handle(h, event)
		return len(h.delivered)
	}
	nodes.refuse = scaling.ErrMembers
	var refused error
	r.Join(room, func(err error) { refused = err })
	if !errors.Is(refused, scaling.ErrMembers) || deliveries() != 0 {
		t.Errorf("refused with %v, %d delivered", refused, deliveries())
	}
	nodes.refuse = nil
	for range 2 {
		r.Join(room, func(error) {})
	}
	leave := scaling.Leave{App: app.ID, Channel: "presence-room", Kind: room.Kind}
	for i, want := range []int{1, 1, 0, 0} {
		if got := deliveries(); got != want {
			t.Errorf("after %d have left: %d delivered, want %d", i, got, want)
		}
		r.Leave(leave)
	}
}

func BenchmarkHandle(b *testing.B) {
	r, h, _ := idle(b)
	join(r, "attended")
	orders := string(golden(b, "message_events.json"))
	for name, text := range map[string]string{
		"own":        string(phpnodes.Sign(orders[:len(orders)-1], r.ID(), 1, false)),
		"unattended": orders,
		"attended":   strings.Replace(orders, `"orders"`, `"attended"`, 1),
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				r.Handle(h, []byte(text))
				h.delivered = h.delivered[:0]
			}
		})
	}
}

func BenchmarkEncode(b *testing.B) {
	m := scaling.Message{App: app.ID, Channel: "orders", Payload: outbound.New(events[0].payload)}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := phpnodes.EncodeEvent(app, false, m); err != nil {
			b.Fatal(err)
		}
	}
}

// A round ends with the last of its two kinds of events, whichever it is.
func TestRoundEnds(t *testing.T) {
	rounds := phpnodes.NewRounds()
	last := rounds.Begin()
	last.Told(2, nil)
	last.Take("")
	if last.Done() {
		t.Error("ended before all have answered")
	}
	last.Take(`{"a":1}`)
	if n, answered, missing := last.End(); !last.Done() || n != 1 || answered != 2 || missing != 0 {
		t.Errorf("the last answer: %v, %d, %d, %d", last.Done(), n, answered, missing)
	}

	first := rounds.Begin()
	first.Take(`{"a":1}`)
	first.Take(`{"a":2}`)
	if first.Done() {
		t.Error("ended before Redis told how many there are")
	}
	first.Told(2, nil)
	if n, _, missing := first.End(); !first.Done() || n != 2 || missing != 0 {
		t.Errorf("Redis last: %v, %d, %d", first.Done(), n, missing)
	}

	down := rounds.Begin()
	down.Told(0, errors.New("down"))
	if _, answered, missing := down.End(); !down.Done() || answered != 0 || missing != 0 {
		t.Errorf("Redis down: %v, %d, %d", down.Done(), answered, missing)
	}
}

func TestSilentReceiverIsWaitedForOnce(t *testing.T) {
	rounds := phpnodes.NewRounds()
	ask := func(answers int) *phpnodes.Round {
		r := rounds.Begin()
		r.Told(3, nil)
		for range answers {
			r.Take("")
		}
		return r
	}
	first := ask(2)
	if first.Done() {
		t.Error("the first question does not wait for the silent one")
	}
	if _, _, missing := first.End(); missing != 1 {
		t.Errorf("%d are missing, want 1", missing)
	}
	second := ask(2)
	if !second.Done() {
		t.Error("the second question waits for the silent one")
	}
	if _, _, missing := second.End(); missing != 1 {
		t.Errorf("%d are missing, want 1", missing)
	}
	second.Take("") // late, but it answers
	third := ask(2)
	if third.Done() {
		t.Error("one that answers again is not waited for")
	}
	third.Take("")
	if _, _, missing := third.End(); !third.Done() || missing != 0 {
		t.Errorf("all have answered: %v, %d missing", third.Done(), missing)
	}
}

func TestRoundsAreBounded(t *testing.T) {
	rounds := phpnodes.NewRounds()
	var last *phpnodes.Round
	for range 1024 {
		last = rounds.Begin()
	}
	if rounds.Begin() != nil {
		t.Error("more rounds than the bound")
	}
	rounds.Close()
	if !last.Done() {
		t.Error("somebody still waits after the end")
	}
	last.End()
	if rounds.Begin() != nil {
		t.Error("a round began after the end")
	}
}
