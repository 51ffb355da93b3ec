package bus

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"time"

	"github.com/redis/rueidis"

	"reverb/internal/fifo"
)

// lane sends what is queued for the shard, batch by batch, until the link is lost. A batch is all that has come while the one before it was in
// flight: under load batches grow by themselves, and the order is kept because there is never more than one.
func (b *Bus) lane(s *shard, l *link) {
	var in flight
	for l.reason() == nil {
		var wait time.Duration
		if in.batch, wait = b.next(s, in.batch[:0]); len(in.batch) > 0 {
			b.send(s, l, &in)
			in.reset()
			continue
		}
		if !rest(s, l, wait) {
			return
		}
	}
}

// rest waits for something to do, at most for wait when it is not zero, and says whether the link lives.
func rest(s *shard, l *link, wait time.Duration) bool {
	var expired <-chan time.Time
	if wait > 0 {
		timer := time.NewTimer(wait)
		defer timer.Stop()
		expired = timer.C
	}
	select {
	case <-s.wake:
	case <-expired:
	case <-l.lost:
		return false
	}
	return true
}

// next takes the next batch, into the given empty slice. When there is none, it says after which time there may be one.
func (b *Bus) next(s *shard, into []item) ([]item, time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.moving || !s.ready {
		return into, 0
	}
	now := time.Now()
	var wait time.Duration
	if s.opening && !s.open {
		if wait = s.openAt.Sub(now); wait <= 0 || b.closed.Load() {
			s.open, wait = true, 0
			s.queue.Prepend(&s.held)
		}
	}
	if left := s.stalled.Sub(now); left > 0 {
		return into, left
	}
	if s.queue.Len() == 0 {
		return into, max(wait, 0)
	}
	s.busy = true
	return take(into, &s.queue), 0
}

// outcome is what became of an item of a batch.
type outcome struct {
	reply Reply
	again bool // it is to be sent again
}

// flight is a batch on its way. Its slices are used again, by the next one.
type flight struct {
	batch    []item
	commands []rueidis.Completed
	outcomes []outcome // of batch
}

func (f *flight) reset() {
	clear(f.batch)
	clear(f.commands)
	clear(f.outcomes)
	f.commands, f.outcomes = f.commands[:0], f.outcomes[:0]
}

// send has the batch executed and its results told.
func (b *Bus) send(s *shard, l *link, f *flight) {
	for i := range f.batch {
		f.commands = b.appendCommands(f.commands, l, &f.batch[i])
	}
	results := l.client.DoMulti(context.Background(), f.commands...)
	if slices.ContainsFunc(results, func(r rueidis.RedisResult) bool { return r.NonRedisError() != nil }) {
		f.commands = nil // a link that was lost may still be writing them
	}
	n, hint := 0, ""
	redirected := false
	for i := range f.batch {
		it := &f.batch[i]
		if it.message.Keep != nil {
			b.checkKept(l, it, results[n])
			n++
		}
		out, elsewhere, addr := b.judge(l, it, results[n])
		f.outcomes = append(f.outcomes, out)
		redirected = redirected || elsewhere
		if addr != "" {
			hint = addr
		}
		n++
	}
	b.settle(s, f, redirected)
	if redirected {
		b.refresh(hint)
	}
	for i, out := range f.outcomes {
		if op := f.batch[i].op; op != nil && !out.again {
			op.answer(out.reply)
		}
	}
}

// settle accounts for a batch: what is to be sent again goes to the front of the queue.
func (b *Bus) settle(s *shard, f *flight, redirected bool) {
	var again fifo.Queue[item]
	var reason error
	refused, left, bytes := 0, 0, int64(0)
	for i, out := range f.outcomes {
		it := &f.batch[i]
		switch {
		case out.again:
			again.Push(*it)
		case it.op == nil:
			left++
			bytes += it.size
			if out.reply.err != nil {
				refused, reason = refused+1, out.reply.err
			}
		}
	}
	b.mu.Lock()
	b.waiting -= left
	b.bytes -= bytes
	s.queue.Prepend(&again)
	if redirected {
		s.stalled = time.Now().Add(stall)
	}
	b.idleLocked(s)
	b.mu.Unlock()
	if refused > 0 {
		b.drops.add(DroppedRefused, refused, reason)
	}
}

// judge says what became of the item, and whether Redis sent it elsewhere, perhaps saying where, or wants it later.
func (b *Bus) judge(l *link, it *item, r rueidis.RedisResult) (out outcome, elsewhere bool, addr string) {
	if r.NonRedisError() != nil { // the link is lost: what was published is sent again, who waits for an answer decides himself
		return outcome{again: it.op == nil, reply: Reply{err: ErrDown}}, false, ""
	}
	message, err := r.ToMessage()
	refusal, refused := rueidis.IsRedisErr(err)
	if !refused {
		b.refusals.note(it.kind(), "")
		if it.op != nil && it.op.command.Script != nil {
			l.known[it.op.command.Script] = true
		}
		return outcome{reply: Reply{message: message}}, false, ""
	}
	if it.op != nil {
		if to, asked := refusal.IsAsk(); asked {
			return b.asked(l.address(to), it)
		}
		if refusal.IsNoScript() && !it.op.full {
			it.op.full = true
			delete(l.known, it.op.command.Script)
			return outcome{again: true}, false, ""
		}
	}
	if !isLater(refusal.Error()) {
		b.refusals.note(it.kind(), refusal.Error())
		return outcome{reply: Reply{err: refusal}}, false, ""
	}
	b.judgeState(l, refusal)
	if to, moved := refusal.IsMoved(); moved {
		addr = l.address(to)
	}
	return b.later(it, refusal), true, addr
}

// asked executes an operation where the slot of its keys is just being moved to, and says of it what judge says.
func (b *Bus) asked(addr string, it *item) (out outcome, elsewhere bool, hint string) {
	r := b.ask(addr, func(l *link) rueidis.Completed { return commandOf(l.client.B(), it.op, nil) })
	if r.NonRedisError() != nil {
		return outcome{reply: Reply{err: ErrDown}}, false, ""
	}
	message, err := r.ToMessage()
	refusal, refused := rueidis.IsRedisErr(err)
	switch {
	case !refused:
		return outcome{reply: Reply{message: message}}, false, ""
	case isLater(refusal.Error()): // TRYAGAIN: not all of its keys are there; while a slot moves, Redis refuses a command whose keys it cannot see together
		return b.later(it, refusal), true, ""
	}
	return outcome{reply: Reply{err: refusal}}, false, ""
}

// later has an item sent again, but an operation only for so long.
func (b *Bus) later(it *item, refusal error) outcome {
	if it.op == nil || time.Since(it.since) < b.options.ReplyTimeout {
		return outcome{again: true}
	}
	return outcome{reply: Reply{err: errors.Join(ErrDown, refusal)}}
}

// isLater says whether the error is one that passes: because the topology changed, or because the server is not ready.
func isLater(text string) bool {
	switch codeOf(text) {
	case "MOVED", "ASK", "TRYAGAIN", "CLUSTERDOWN", "LOADING", "MASTERDOWN", "READONLY":
		return true
	}
	return false
}

// checkKept looks at whether a value was stored. When Redis says that its key is where the slot is just being moved to, it is stored there; a
// lost link, and a slot that has moved, are seen at the publication too.
func (b *Bus) checkKept(l *link, it *item, r rueidis.RedisResult) {
	refusal, ok := rueidis.IsRedisErr(r.Error())
	if !ok {
		b.refusals.note(asksToStore, "")
		return
	}
	if to, asked := refusal.IsAsk(); asked {
		r = b.ask(l.address(to), func(l *link) rueidis.Completed { return setOf(l.client.B(), it.message.Keep) })
		if refusal, ok = rueidis.IsRedisErr(r.Error()); !ok {
			return
		}
	}
	if !isLater(refusal.Error()) {
		b.refusals.note(asksToStore, refusal.Error())
		b.drops.note("store a value", refusal)
		return
	}
	b.judgeState(l, refusal)
}

func setOf(build rueidis.Builder, k *Keep) rueidis.Completed {
	ttl := strconv.FormatInt(max(k.TTL.Milliseconds(), 1), 10)
	if k.Script != nil { // in full each time: the value waits with its publication, which cannot be sent again alone
		return build.Arbitrary("EVAL", k.Script.source, "2").Args(k.Key, k.Beside, rueidis.BinaryString(k.Value), ttl).Args(k.Args...).Build()
	}
	return build.Arbitrary("SET", k.Key, rueidis.BinaryString(k.Value), "PX", ttl).Build()
}

// appendCommands adds the commands of an item: the last one's reply is the item's.
func (b *Bus) appendCommands(to []rueidis.Completed, l *link, it *item) []rueidis.Completed {
	build := l.client.B()
	if it.op != nil && !it.op.isCounted() {
		return append(to, commandOf(build, it.op, l.known))
	}
	m := &it.message
	if k := m.Keep; k != nil {
		to = append(to, setOf(build, k))
	}
	if b.options.Cluster {
		return append(to, build.Spublish().Channel(m.Name).Message(rueidis.BinaryString(m.Payload)).Build())
	}
	return append(to, build.Publish().Channel(m.Name).Message(rueidis.BinaryString(m.Payload)).Build())
}

// commandOf builds a command. A script is sent in full until the server has executed it once.
func commandOf(build rueidis.Builder, op *operation, known map[*Script]bool) rueidis.Completed {
	c := &op.command
	if c.Script == nil {
		return build.Arbitrary(c.Name).Args(c.Keys...).Args(c.Args...).Build()
	}
	keys := strconv.Itoa(len(c.Keys))
	if op.full || !known[c.Script] {
		return build.Arbitrary("EVAL", c.Script.source, keys).Args(c.Keys...).Args(c.Args...).Build()
	}
	return build.Arbitrary("EVALSHA", c.Script.sha, keys).Args(c.Keys...).Args(c.Args...).Build()
}
