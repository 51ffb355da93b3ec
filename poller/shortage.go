package poller

import (
	"cmp"
	"slices"
	"time"

	"reverb/transport"
)

// stalled is how long a socket has taken nothing when its client counts as one that does not read at all.
const stalled = 250 * time.Millisecond

// debtor is a connection that something waits for, as it was when room was looked for.
type debtor struct {
	conn    *conn
	stalled bool
	weight  float64 // bytes that wait, times the time that the oldest has waited
}

// boundTotal holds all outboxes together under their bound. The caller holds no connection's lock, but may hold others (docs/internal/locks.md).
func (p *Poller) boundTotal() {
	if p.holdings.bytes.Load() > p.cfg.TotalOutboxBytes {
		p.makeRoom()
	}
}

// makeRoom cuts connections until a quarter of the bound is free: first the clients that do not read at all, then the others, of each
// those first that wait longest and hold most. A client that reads, if slowly, is never cut because it was the one whose frame was too much.
func (p *Poller) makeRoom() {
	if !p.shortage.TryLock() {
		return // another goroutine is at it
	}
	defer p.shortage.Unlock()
	enough := p.cfg.TotalOutboxBytes * 3 / 4
	for _, d := range p.debtors() {
		if p.holdings.bytes.Load() <= enough {
			return
		}
		d.conn.mu.Lock()
		if d.conn.outbox != nil {
			d.conn.cutLocked(transport.ReasonOutboxTotal, true)
		}
		d.conn.mu.Unlock()
	}
}

// debtors lists the connections that something waits for, in the order in which they are to be cut.
func (p *Poller) debtors() []debtor {
	var all []debtor
	now := p.now()
	for _, t := range p.tables {
		for _, c := range t.watched() {
			c.mu.Lock()
			if o := c.outbox; o != nil {
				all = append(all, debtor{
					conn:    c,
					stalled: now.since(o.moved) >= stalled,
					weight:  float64(o.bytes) * float64(o.age(now)+time.Millisecond),
				})
			}
			c.mu.Unlock()
		}
	}
	slices.SortFunc(all, func(a, b debtor) int {
		if a.stalled != b.stalled {
			if a.stalled {
				return -1
			}
			return 1
		}
		return cmp.Compare(b.weight, a.weight)
	})
	return all
}
