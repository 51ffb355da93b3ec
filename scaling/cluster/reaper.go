package cluster

import (
	"context"
	"slices"
	"time"

	"reverb/scaling/bus"
)

// Commands of a dead node may still be on their way: it may only have been stopped, or a network holds them. So a dead node is looked after
// again and again for a while; each look takes the members that are found.
const (
	lookEveryLeases   = 3
	forgetAfterLeases = 30
)

// lookChunk is how many channels of a dead node are looked after at a time.
const lookChunk = 200

// lookAfter takes the members of a dead node out of its channels, and ends graces that are over there. If that fails another look is due
// after a lease, by whichever node.
func (p *presence) lookAfter(ctx context.Context, id string) {
	reply, err := p.do(ctx, bus.Command{Name: "SMEMBERS", Keys: []string{p.names.channelsOf(id)}})
	if err != nil {
		return
	}
	channels, err := reply.Texts()
	if err != nil {
		return
	}
	var lingering int64
	for chunk := range slices.Chunk(channels, lookChunk) {
		n, err := p.lookAt(ctx, chunk, id)
		if err != nil {
			p.complain("look after a dead node", err)
			return
		}
		lingering += n
	}
	again := lookEveryLeases * p.o.Lease
	if lingering > 0 {
		again = p.o.Beat
	}
	reply, err = p.do(ctx, p.nodesCommand(lookedScript, id, milliseconds(again), flag(lingering == 0),
		milliseconds(forgetAfterLeases*p.o.Lease)))
	if err != nil {
		return
	}
	if over, _ := reply.Int(); over != 1 {
		return
	}
	if _, err := p.do(ctx, bus.Command{Name: "DEL", Keys: []string{p.names.channelsOf(id)}}); err != nil {
		return // nobody would find the key again if the node were forgotten first
	}
	_, _ = p.do(ctx, p.nodesCommand(forgetScript, id)) // if it fails, the next look does it
}

// lookAt does it for some channels at once, and returns how many users there are in their grace.
func (p *presence) lookAt(ctx context.Context, channels []string, id string) (lingering int64, err error) {
	type result struct {
		lingering int64
		err       error
	}
	results := make(chan result, len(channels))
	for _, events := range channels {
		p.dropAll(events, id, 0, func(n int64, err error) { results <- result{n, err} })
	}
	for range channels {
		select {
		case r := <-results:
			lingering += r.lingering
			if r.err != nil {
				err = r.err
			}
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	}
	return lingering, err
}

// dropAll takes all users of a node out of a channel, some at a time, and calls done, which must not wait, with how many are then in
// their grace there.
func (p *presence) dropAll(events, node string, grace time.Duration, done func(lingering int64, err error)) {
	p.bus.Do(p.dropCommand(events, node, true, grace), func(reply bus.Reply) {
		switch held, lingering, err := dropped(reply); {
		case err != nil:
			done(0, err)
		case held > 0:
			p.dropAll(events, node, grace, done)
		default:
			done(lingering, nil)
		}
	})
}
