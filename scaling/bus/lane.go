package bus

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/redis/rueidis"
)

// lane sends what is queued for the shard, batch by batch, until the link is lost. A batch is all that has come while the one before it was in
// flight: under load batches grow by themselves, and the order is kept because there is never more than one.
func (b *Bus) lane(s *shard, l *link) {
	var batch []item
	for l.reason() == nil {
		var wait time.Duration
		if batch, wait = b.next(s, batch[:0]); len(batch) > 0 {
			b.send(s, l, batch)
			clear(batch)
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
		if wait = s.openAt.Sub(now); wait <= 0 || b.closed {
			s.open, wait = true, 0
			s.queue, s.held = append(s.held, s.queue...), nil
		}
	}
	if left := s.stalled.Sub(now); left > 0 {
		return into, left
	}
	if len(s.queue) == 0 {
		return into, max(wait, 0)
	}
	s.busy = true
	into, s.queue = take(into, s.queue)
	return into, 0
}

// outcome is what became of an item of a batch.
type outcome struct {
	reply Reply
	again bool // it is to be sent again
}

// send has the batch executed and its results told.
func (b *Bus) send(s *shard, l *link, batch []item) {
	commands := make([]rueidis.Completed, 0, len(batch)+8)
	for i := range batch {
		commands = b.appendCommands(commands, l, &batch[i])
	}
	results := l.client.DoMulti(context.Background(), commands...)
	outcomes := make([]outcome, len(batch))
	n, hint := 0, ""
	redirected := false
	for i := range batch {
		it := &batch[i]
		if it.message.Keep != nil {
			b.checkKept(it, results[n])
			n++
		}
		moved, addr := b.judge(l, it, results[n], &outcomes[i])
		redirected = redirected || moved
		hint = cmpOr(addr, hint)
		n++
	}
	b.settle(s, batch, outcomes, redirected)
	if redirected {
		b.refresh(hint)
	}
	for i := range batch {
		if op := batch[i].op; op != nil && !outcomes[i].again {
			op.answer(outcomes[i].reply)
		}
	}
}

func cmpOr(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// settle accounts for a batch: what is to be sent again goes to the front of the queue.
func (b *Bus) settle(s *shard, batch []item, outcomes []outcome, redirected bool) {
	var again []item
	var refused int
	var reason error
	b.mu.Lock()
	for i := range batch {
		switch {
		case outcomes[i].again:
			again = append(again, batch[i])
		default:
			if batch[i].op == nil {
				b.leaveLocked(&batch[i])
			}
			if err := outcomes[i].reply.err; err != nil && batch[i].op == nil {
				refused, reason = refused+1, err
			}
		}
	}
	if len(again) > 0 {
		s.queue = append(again, s.queue...)
	}
	if redirected {
		s.stalled = time.Now().Add(stall)
	}
	s.busy = false
	if b.moving {
		b.idle.Broadcast()
	}
	b.mu.Unlock()
	if refused > 0 {
		b.drops.add(DroppedRefused, refused, reason)
	}
}

// judge says what became of the item: whether Redis sent it elsewhere, perhaps saying where, or wants it later.
func (b *Bus) judge(l *link, it *item, r rueidis.RedisResult, out *outcome) (redirected bool, addr string) {
	message, err := r.ToMessage()
	if r.NonRedisError() != nil { // the link is lost: what was published is sent again, who waits for an answer decides himself
		out.again, out.reply.err = it.op == nil, ErrDown
		return false, ""
	}
	refusal, isRefusal := rueidis.IsRedisErr(err)
	if isRefusal && it.op != nil {
		if to, ok := refusal.IsAsk(); ok {
			r = b.ask(to, func(l *link) rueidis.Completed { return commandOf(l.client.B(), it.op, nil) })
			message, err = r.ToMessage()
			refusal, isRefusal = rueidis.IsRedisErr(err)
			if r.NonRedisError() != nil {
				out.reply.err = ErrDown
				return false, ""
			}
		}
	}
	if !isRefusal {
		out.reply.message = message
		if it.op != nil && it.op.command.Script != nil {
			l.known[it.op.command.Script] = true
		}
		return false, ""
	}
	switch {
	case refusal.IsNoScript() && it.op != nil && !it.op.full:
		it.op.full, out.again = true, true
		delete(l.known, it.op.command.Script)
		return false, ""
	case isLater(refusal.Error()):
		if it.op == nil || time.Since(it.since) < b.options.ReplyTimeout {
			out.again = true
		} else {
			out.reply.err = errors.Join(ErrDown, refusal)
		}
		addr, _ = refusal.IsMoved()
		return true, addr
	}
	out.reply.err = refusal
	return false, ""
}

// isLater says whether the error is one that passes: because the topology changed, or because the server is not ready.
func isLater(text string) bool {
	for _, prefix := range []string{"MOVED ", "ASK ", "TRYAGAIN", "CLUSTERDOWN", "LOADING", "MASTERDOWN", "READONLY"} {
		if strings.HasPrefix(text, prefix) {
			return true
		}
	}
	return false
}

// checkKept looks at whether a value was stored. When Redis says that its key is where the slot is just being moved to, it is stored there; a
// lost link, and a slot that has moved, are seen at the publication too.
func (b *Bus) checkKept(it *item, r rueidis.RedisResult) {
	refusal, ok := rueidis.IsRedisErr(r.Error())
	if !ok {
		return
	}
	if to, asked := refusal.IsAsk(); asked {
		r = b.ask(to, func(l *link) rueidis.Completed { return setOf(l.client.B(), it.message.Keep) })
		if refusal, ok = rueidis.IsRedisErr(r.Error()); !ok {
			return
		}
	}
	if !isLater(refusal.Error()) {
		b.drops.note("store a value", refusal)
	}
}

func setOf(build rueidis.Builder, k *Keep) rueidis.Completed {
	ttl := strconv.FormatInt(max(k.TTL.Milliseconds(), 1), 10)
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
