package publish

import (
	"errors"
	"log/slog"
	"slices"
	"strconv"
	"time"

	"github.com/redis/rueidis"

	"reverb/internal/fifo"
	"reverb/scaling/redis"
)

// batch is what a pipeline has in flight, at most one at a time. Its slices are used again, by the next one. It is owned by the goroutine of
// the pipeline.
type batch struct {
	// Constant.
	pipeline *Pipeline
	link     *redis.Link

	known    map[*Script]bool // scripts that this server has
	items    []item
	commands []rueidis.Completed
	outcomes []outcome // of items

	moved bool   // Redis sent something elsewhere, or wants it later
	hint  string // and said where
}

// outcome is the end of an item.
type outcome struct {
	reply Reply
	again bool // it is to be sent again
}

func (b *batch) reset() {
	clear(b.items)
	clear(b.commands)
	clear(b.outcomes)
	b.commands, b.outcomes = b.commands[:0], b.outcomes[:0]
	b.moved, b.hint = false, ""
}

// send has the batch executed and its results told.
func (b *batch) send() {
	for i := range b.items {
		b.add(&b.items[i])
	}
	results := b.link.Do(b.commands...)
	if slices.ContainsFunc(results, func(r rueidis.RedisResult) bool { return r.NonRedisError() != nil }) {
		b.commands = nil // a link that was lost may still be writing them
	}
	n := 0
	for i := range b.items {
		it := &b.items[i]
		if it.message.Keep != nil {
			b.checkKept(it.message.Keep, results[n])
			n++
		}
		b.outcomes = append(b.outcomes, b.judge(it, results[n]))
		n++
	}
	b.settle()
	if b.moved {
		b.pipeline.publisher.options.Look(b.hint)
	}
	for i, out := range b.outcomes {
		if op := b.items[i].op; op != nil && !out.again {
			op.answer(out.reply)
		}
	}
}

func (b *batch) settle() {
	var again fifo.Queue[item]
	var reason error
	refused, done, bytes := 0, 0, int64(0)
	for i, out := range b.outcomes {
		it := &b.items[i]
		switch {
		case out.again:
			again.Push(*it)
		case it.op == nil:
			done++
			bytes += it.size
			if out.reply.err != nil {
				refused, reason = refused+1, out.reply.err
			}
		}
	}
	b.pipeline.settle(done, bytes, &again, b.moved)
	b.pipeline.publisher.drops.add(DroppedRefused, refused, reason)
}

// judge says how an item ended.
func (b *batch) judge(it *item, r rueidis.RedisResult) outcome {
	if r.NonRedisError() != nil { // the link is lost: what was published is sent again, a caller that waits for an answer decides itself
		return outcome{again: it.op == nil, reply: Reply{err: redis.ErrDown}}
	}
	refusals := &b.pipeline.publisher.refusals
	message, err := r.ToMessage()
	refusal, refused := rueidis.IsRedisErr(err)
	if !refused {
		refusals.note(it.kind(), "")
		if it.op != nil && it.op.command.Script != nil {
			b.known[it.op.command.Script] = true
		}
		return outcome{reply: Reply{message: message}}
	}
	if it.op != nil {
		if to, asked := refusal.IsAsk(); asked {
			return b.ask(it, to)
		}
		if refusal.IsNoScript() && !it.op.full {
			it.op.full = true
			delete(b.known, it.op.command.Script)
			return outcome{again: true}
		}
	}
	if !redis.Passes(refusal) {
		refusals.note(it.kind(), refusal.Error())
		return outcome{reply: Reply{err: refusal}}
	}
	b.link.Judge(refusal)
	if to, moved := refusal.IsMoved(); moved {
		b.hint = b.link.Address(to)
	}
	return b.later(it, refusal)
}

// ask executes an operation where the slot of its keys is just being moved to.
func (b *batch) ask(it *item, to string) outcome {
	r := b.pipeline.publisher.options.Ask(b.link.Address(to), func(build rueidis.Builder) rueidis.Completed {
		return commandOf(build, it.op, nil)
	})
	if r.NonRedisError() != nil {
		return outcome{reply: Reply{err: redis.ErrDown}}
	}
	message, err := r.ToMessage()
	refusal, refused := rueidis.IsRedisErr(err)
	switch {
	case !refused:
		return outcome{reply: Reply{message: message}}
	case redis.Passes(refusal): // TRYAGAIN: while a slot moves, Redis refuses a command whose keys it cannot see together
		return b.later(it, refusal)
	}
	return outcome{reply: Reply{err: refusal}}
}

// later has an item sent again, but an operation only for so long.
func (b *batch) later(it *item, refusal error) outcome {
	b.moved = true
	if it.op == nil || time.Since(it.since) < b.pipeline.publisher.options.ReplyTimeout {
		return outcome{again: true}
	}
	return outcome{reply: Reply{err: errors.Join(redis.ErrDown, refusal)}}
}

// checkKept looks at whether a value was stored. When Redis says that its key is where the slot is just being moved to, it is stored there; a
// lost link, and a slot that has moved, are seen at the publication too.
func (b *batch) checkKept(k *Keep, r rueidis.RedisResult) {
	p := b.pipeline.publisher
	refusal, refused := rueidis.IsRedisErr(r.Error())
	if !refused {
		p.refusals.note(asksToStore, "")
		return
	}
	if to, asked := refusal.IsAsk(); asked {
		r = p.options.Ask(b.link.Address(to), func(build rueidis.Builder) rueidis.Completed { return setOf(build, k) })
		if refusal, refused = rueidis.IsRedisErr(r.Error()); !refused {
			return
		}
	}
	if !redis.Passes(refusal) {
		p.refusals.note(asksToStore, refusal.Error())
		p.drops.log.Log(slog.LevelWarn, "", "redis: store a value", slog.Any("error", refusal))
		return
	}
	b.link.Judge(refusal)
}

// add adds the commands of an item: the last one's reply is the item's.
func (b *batch) add(it *item) {
	build := b.link.B()
	if it.op != nil && !it.op.isCounted() {
		b.commands = append(b.commands, commandOf(build, it.op, b.known))
		return
	}
	m := &it.message
	if m.Keep != nil {
		b.commands = append(b.commands, setOf(build, m.Keep))
	}
	payload := rueidis.BinaryString(m.Payload)
	if b.pipeline.publisher.options.Cluster {
		b.commands = append(b.commands, build.Spublish().Channel(m.Name).Message(payload).Build())
	} else {
		b.commands = append(b.commands, build.Publish().Channel(m.Name).Message(payload).Build())
	}
}

// setOf builds the command that stores a value.
func setOf(build rueidis.Builder, k *Keep) rueidis.Completed {
	ttl := strconv.FormatInt(max(k.TTL.Milliseconds(), 1), 10)
	if k.Script != nil { // in full each time: the value waits with its publication, which cannot be sent again alone
		return build.Arbitrary("EVAL", k.Script.source, "2").Args(k.Key, k.Beside, rueidis.BinaryString(k.Value), ttl).Args(k.Args...).Build()
	}
	return build.Arbitrary("SET", k.Key, rueidis.BinaryString(k.Value), "PX", ttl).Build()
}

// commandOf builds the command of an operation. A script is sent in full until the server has executed it once.
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
