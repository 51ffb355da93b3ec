package bus_test

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"reverb/internal/redistest"
	"reverb/scaling/bus"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// limit is how long a test waits for what must happen.
const limit = 30 * time.Second

// peer is a bus and what it told.
type peer struct {
	*bus.Bus
	t testing.TB

	mu sync.Mutex
	// Guarded by mu.
	got     map[string][]string // by name
	told    []string            // "up", "down", "lapsed <names>"
	dropped map[string]int
}

// connect opens a bus that is closed at the end of the test.
func connect(t testing.TB, o bus.Options) *peer {
	t.Helper()
	p := &peer{t: t, got: map[string][]string{}, dropped: map[string]int{}}
	if o.Dropped == nil {
		o.Dropped = func(reason string, n int) {
			p.mu.Lock()
			defer p.mu.Unlock()
			p.dropped[reason] += n
		}
	}
	b, err := bus.Open(o, bus.Hooks{
		Message: func(name string, payload []byte) {
			p.mu.Lock()
			defer p.mu.Unlock()
			p.got[name] = append(p.got[name], string(payload))
		},
		Up:     func() { p.tell("up") },
		Down:   func(error) { p.tell("down") },
		Lapsed: func(names []string) { p.tell("lapsed " + strings.Join(names, " ")) },
	})
	if err != nil {
		t.Fatal(err)
	}
	p.Bus = b
	t.Cleanup(b.Close)
	return p
}

// up opens a bus and waits until it is up.
func up(t testing.TB, o bus.Options) *peer {
	t.Helper()
	p := connect(t, o)
	p.await("up", p.Up)
	return p
}

func (p *peer) tell(what string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.told = append(p.told, what)
}

func (p *peer) history() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return strings.Join(p.told, ", ")
}

// messages are those of a name.
func (p *peer) messages(name string) []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string(nil), p.got[name]...)
}

func (p *peer) count(name string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.got[name])
}

func (p *peer) droppedFor(reason string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.dropped[reason]
}

func (p *peer) await(what string, ok func() bool) {
	p.t.Helper()
	p.awaitFor(limit, what, ok)
}

func (p *peer) awaitFor(limit time.Duration, what string, ok func() bool) {
	p.t.Helper()
	if !redistest.Eventually(limit, ok) {
		p.t.Fatalf("waited too long for %s; told: %s; state: %+v", what, p.history(), p.State())
	}
}

// subscribe waits for the confirmation.
func (p *peer) subscribe(names ...string) {
	p.t.Helper()
	done := make(chan error, len(names))
	for _, name := range names {
		p.Subscribe(name, func(err error) { done <- err })
	}
	for range names {
		if err := receive(p.t, done); err != nil {
			p.t.Fatalf("subscribe: %v", err)
		}
	}
}

func (p *peer) publish(name, payload string) {
	p.t.Helper()
	if err := p.Publish(bus.Message{Name: name, Payload: []byte(payload)}); err != nil {
		p.t.Fatalf("publish: %v", err)
	}
}

// do waits for the reply.
func (p *peer) do(c bus.Command) bus.Reply {
	p.t.Helper()
	done := make(chan bus.Reply, 1)
	p.Do(c, func(r bus.Reply) { done <- r })
	return receive(p.t, done)
}

func receive[T any](t testing.TB, from <-chan T) (v T) {
	t.Helper()
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case v = <-from:
	case <-timer.C:
		t.Fatal("waited too long for an answer")
	}
	return v
}

func isDown(err error) bool { return errors.Is(err, bus.ErrDown) }
