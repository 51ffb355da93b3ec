package cluster

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"reverb/protocol"
	"reverb/scaling/bus"
)

// auditsPerBeat is how many replicas are compared with Redis at each beat, whether anything seems wrong or not.
const auditsPerBeat = 32

// patienceBeats is how many beats something may take that Redis should do at once.
const patienceBeats = 2

// fetched is what Redis has of a channel.
type fetched struct {
	at      position
	members []*protocol.MemberData // in the order in which they came
	ours    []string               // users of the asking node
}

// fetch asks Redis for the whole roster.
func (r *replica) fetch() {
	switch {
	case !r.open || r.p.offline():
		r.live = false
		return
	case r.fetches != r.fetched:
		r.again = true
		return
	}
	r.fetches++
	r.again = false
	id, _ := r.p.session()
	r.p.ask(r.events, r.p.rosterCommand(fetchScript, r.events, id), func(reply bus.Reply) {
		r.fetched = r.fetches
		pending := r.pending
		r.pending = nil
		if !r.open {
			r.again = false
			return
		}
		if r.reopened {
			r.reopened = false // this was asked for before the channel was subscribed again
			r.fetch()
			return
		}
		f, err := readFetched(reply)
		if err != nil {
			r.p.complain("fetch a roster", err)
			r.live = false
			r.isReady()
			r.p.mark(r)
			return
		}
		r.follow(f, id, pending)
		r.isReady()
		if r.again {
			r.fetch()
		}
	})
}

// follow makes the replica what Redis has, and what it has been told since. id is that of the node when it asked.
func (r *replica) follow(f fetched, id string, pending []delta) {
	if r.at.generation != "" && r.at.generation != f.at.generation {
		pending = r.over(pending)
	}
	r.reconcile(f)
	if now, ok := r.p.session(); ok && now == id {
		r.reconcileOurs(f.ours, id)
	}
	r.live, r.behind = true, time.Time{}
	r.arrive()
	for _, d := range pending {
		r.take(d)
	}
}

func readFetched(reply bus.Reply) (f fetched, err error) {
	parts, err := reply.List()
	if err != nil || len(parts) != 4 {
		return f, orMalformed(err)
	}
	if f.at, err = positionOf(parts[0], parts[1]); err != nil {
		return f, err
	}
	flat, err := parts[2].Texts()
	if err != nil {
		return f, err
	}
	type member struct {
		came uint64
		data *protocol.MemberData
	}
	members := make([]member, 0, len(flat)/2)
	for pair := range slices.Chunk(flat, 2) {
		if len(pair) != 2 {
			break
		}
		came, data, _ := strings.Cut(pair[1], " ")
		version, err := strconv.ParseUint(came, 10, 64)
		if err != nil {
			continue
		}
		if m, err := parseMember(data); err == nil {
			members = append(members, member{version, m})
		}
	}
	slices.SortFunc(members, func(a, b member) int { return cmp.Compare(a.came, b.came) })
	for _, m := range members {
		f.members = append(f.members, m.data)
	}
	f.ours, err = parts[3].Texts()
	return f, err
}

// reconcile makes the replica what Redis has. Who is new is announced at once. Who is not there any more is announced at once too, unless
// Redis may have lost it.
func (r *replica) reconcile(f fetched) {
	r.doubts = slices.DeleteFunc(r.doubts, func(d doubt) bool { return d.generation == f.at.generation })
	r.at = f.at
	there := make(map[string]struct{}, len(f.members))
	for _, m := range f.members {
		there[m.UserID] = struct{}{}
		r.admit(m)
	}
	for id, u := range r.users {
		if _, ok := there[id]; ok || u.sockets > 0 {
			u.inRoster = ok
			continue
		}
		u.inRoster = false
		r.lose(u)
	}
}

// reconcileOurs compares what Redis has of our users with what we have. A user about whom a command is under way is left out: its reply
// tells.
func (r *replica) reconcileOurs(ours []string, id string) {
	there := make(map[string]struct{}, len(ours))
	for _, userID := range ours {
		there[userID] = struct{}{}
		if u := r.user(userID); !u.busy && (u.on != id || u.unsure) {
			r.setOn(u, id)
			u.joined = r.at
		}
	}
	for userID, u := range r.users {
		if _, ok := there[userID]; !ok && !u.busy && u.on == id {
			r.setOn(u, "")
		}
		r.tell(u)
		r.review(u)
	}
}

// heal makes Redis and the replica agree after Redis was lost, or after this node was taken for dead: then as another than former.
func (r *replica) heal(former string) {
	r.p.mark(r) // there were no ticks meanwhile
	if former != "" || r.p.interrupted() {
		r.healed = time.Now().Add(r.p.o.Settle)
	} // else this node has only begun, and was told of nobody yet whom Redis could have lost
	r.registered = "" // Redis may have been emptied
	if former != "" {
		r.former = append(r.former, former)
	}
	if r.open || len(r.users) > 0 || len(r.former) > 0 {
		r.register()
	}
	r.fetch()
}

// register tells the cluster that this node has members in the channel, before it has: whoever finds this node dead looks here.
func (r *replica) register() {
	id, ok := r.p.session()
	if r.registering || r.registered == id || !ok || r.p.offline() {
		return
	}
	r.registering = true
	r.p.ask(r.events, bus.Command{Name: "SADD", Keys: []string{r.p.names.channelsOf(id)}, Args: []string{r.events}}, func(reply bus.Reply) {
		r.registering = false
		if err := reply.Err(); err != nil {
			r.p.complain("register a channel", err)
			r.p.mark(r)
			return
		}
		r.registered = id
		for _, u := range r.users {
			r.tell(u)
			r.tidy(u)
		}
		former := r.former
		r.former = nil
		for _, dead := range former {
			r.p.dropAll(r.events, dead, 0, func(int64, error) {}) // if it fails, whoever looks after the dead does it
		}
		r.finish()
	})
}

// unregister is the end of that.
func (r *replica) unregister() {
	if r.registered != "" {
		r.p.bus.Do(bus.Command{Name: "SREM", Keys: []string{r.p.names.channelsOf(r.registered)}, Args: []string{r.events}}, nil)
		r.registered = ""
	}
}

// down lets in whoever waits for Redis.
func (r *replica) down() {
	r.live = false
	r.isReady()
	r.answer()
	for _, u := range r.users {
		if len(u.joins) > 0 {
			r.decide(u)
		}
	}
}

// tick does what could not be done at once.
func (r *replica) tick(now time.Time) {
	if r.p.offline() {
		return // heal does it
	}
	patience := patienceBeats * r.p.o.Beat
	if r.open && (!r.live || !r.behind.IsZero() && now.Sub(r.behind) > patience) {
		r.fetch()
	}
	if len(r.waiting) > 0 && now.Sub(r.waiting[0].joins[0].since) > patience {
		r.answer()
	}
	r.register()
	for u := range r.unsettled {
		delete(r.unsettled, u)
		if len(u.joins) > 0 && now.Sub(u.joins[0].since) > patience {
			r.decide(u)
		}
		r.tell(u)
		r.review(u)
	}
	if r.live && r.fetches == r.fetched {
		for u, until := range r.missing {
			if !now.Before(until) {
				delete(r.missing, u)
				r.review(u)
			}
		}
	}
	r.endGraces(now)
	r.finish()
	if r.open && (!r.live || len(r.waiting) > 0 || len(r.unsettled) > 0 || len(r.missing) > 0 || !r.behind.IsZero()) {
		r.p.mark(r)
	}
}

// endGraces takes out those to whom this node gave a grace that is over. If this node is gone by then, whoever looks after it does that.
func (r *replica) endGraces(now time.Time) {
	if r.lingering.IsZero() {
		return
	}
	r.p.mark(r)
	if now.Before(r.lingering) {
		return
	}
	r.lingering = now.Add(r.p.o.Grace) // if there is no answer
	r.p.ask(r.events, r.p.dropCommand(r.events, "", false, 0), func(reply bus.Reply) {
		switch _, lingering, err := dropped(reply); {
		case err != nil:
		case lingering > 0:
			r.lingering = time.Now().Add(r.p.o.Beat)
		default:
			r.lingering = time.Time{}
			r.finish()
		}
	})
}

// audit compares the replica with Redis.
func (r *replica) audit() {
	id, ok := r.p.session()
	if !r.open || !r.live || !ok || r.fetches != r.fetched {
		return
	}
	before := r.at
	r.p.ask(r.events, r.p.rosterCommand(checkScript, r.events, id), func(reply bus.Reply) {
		at, held, err := readChecked(reply)
		if err != nil || !r.live {
			return
		}
		switch now, _ := r.p.session(); {
		case at.generation == before.generation && at.version < before.version,
			now == id && r.busy == 0 && held != int64(r.mine):
			r.fetch()
		default:
			r.reach(at)
		}
	})
}
