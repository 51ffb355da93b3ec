package roster_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"reverb/scaling/cluster/roster"
)

// rig is one View of which a test decides everything.
type rig struct {
	t    *testing.T
	view *roster.View
	at   roster.Moment
	told []string         // "+user", "-user", and "ok" or the error of an answer
	asks []roster.Command // not replied to yet
	out  roster.Output    // of the last step
}

func newRig(t *testing.T) *rig {
	return &rig{
		t: t, view: roster.New(roster.Settings{Beat: modelBeat, Grace: modelGrace, Retell: modelRetell}),
		at: roster.Moment{Now: time.Unix(1e9, 0), Node: "n1", Alive: true, Online: true},
	}
}

// openRig is a View whose channel is open and empty, on a node that is registered.
func openRig(t *testing.T) *rig {
	t.Helper()
	r := newRig(t)
	r.step(roster.Open{})
	ask[roster.Register](r)
	r.step(roster.Registered{To: roster.Register{Node: "n1"}})
	r.fetched(roster.Position{}, nil)
	return r
}

func (r *rig) step(in roster.Input) {
	r.t.Helper()
	r.out = r.view.Step(in, r.at)
	for _, e := range r.out.Events {
		switch e.Kind {
		case roster.MemberAdded:
			r.told = append(r.told, "+"+e.UserID)
		case roster.MemberRemoved:
			r.told = append(r.told, "-"+e.UserID)
		case roster.Answered:
			e.Done(e.Err)
		}
	}
	r.asks = append(r.asks, r.out.Commands...)
	if wrong := r.view.Inconsistent(); wrong != "" {
		r.t.Errorf("after %#v: %s", in, wrong)
	}
}

func (r *rig) join(user string) {
	r.t.Helper()
	r.step(roster.Join{Member: memberOf(dataOf(user)), Done: func(err error) {
		if err == nil {
			err = errors.New("ok")
		}
		r.told = append(r.told, err.Error())
	}})
}

// hears checks what was told since the last time.
func (r *rig) hears(want string) {
	r.t.Helper()
	if got := strings.Join(r.told, " "); got != want {
		r.t.Errorf("told %q, want %q", got, want)
	}
	r.told = nil
}

// ask takes the oldest command of a type out.
func ask[C roster.Command](r *rig) C {
	r.t.Helper()
	for i, c := range r.asks {
		if c, ok := c.(C); ok {
			r.asks = append(r.asks[:i:i], r.asks[i+1:]...)
			return c
		}
	}
	var none C
	r.t.Fatalf("no %T among %#v", none, r.asks)
	return none
}

// fetched replies to a Fetch.
func (r *rig) fetched(at roster.Position, ours []string, users ...string) {
	r.t.Helper()
	in := roster.Fetched{To: ask[roster.Fetch](r), At: at, Ours: ours}
	for _, user := range users {
		in.Members = append(in.Members, memberOf(dataOf(user)))
	}
	r.step(in)
}

// joined replies to a TellJoin.
func (r *rig) joined(at roster.Position) {
	r.t.Helper()
	r.step(roster.JoinTold{To: ask[roster.TellJoin](r), At: at})
}

func added(generation string, version uint64, user string) roster.DeltaCame {
	return roster.DeltaCame{Delta: roster.Delta{At: at(generation, version), Sign: roster.SignAdded, Member: memberOf(dataOf(user)), UserID: user}}
}

func last(generation string, version uint64, user string) roster.DeltaCame {
	return roster.DeltaCame{Delta: roster.Delta{At: at(generation, version), Sign: roster.SignLast, UserID: user}}
}

func at(generation string, version uint64) roster.Position {
	return roster.Position{Generation: generation, Version: version}
}

// A fetch finds another generation than the one that the View has. Members of the old one are gone as soon as it is known that the last of
// them has left, be that from a delta that came before the reply or from one that comes after it; else Redis may have lost them. They were
// listed for 6 s more.
func TestGenerationThatIsOver(t *testing.T) {
	for name, c := range map[string]struct {
		found   roster.Position
		users   []string
		pending []roster.DeltaCame // before the reply
		late    []roster.DeltaCame // after it
		want    string
	}{
		"nobody is left, told before":  {pending: []roster.DeltaCame{last("g1", 2, "old")}, want: "+old -old"},
		"nobody is left, told after":   {late: []roster.DeltaCame{last("g1", 2, "old")}, want: "+old -old"},
		"it began while it was asked":  {pending: []roster.DeltaCame{added("g1", 1, "old"), last("g1", 2, "old")}, want: "+old -old"},
		"another began, told before":   {at("g2", 1), []string{"new"}, []roster.DeltaCame{last("g1", 2, "old"), added("g2", 1, "new")}, nil, "+old +new -old"},
		"another began, told after":    {at("g2", 1), []string{"new"}, nil, []roster.DeltaCame{last("g1", 2, "old"), added("g2", 1, "new")}, "+old +new -old"},
		"Redis was emptied":            {want: "+old"},
		"Redis was emptied and filled": {at("g2", 1), []string{"new"}, []roster.DeltaCame{added("g2", 1, "new")}, []roster.DeltaCame{added("g2", 2, "more")}, "+old +new +more"},
	} {
		t.Run(name, func(t *testing.T) {
			r := openRig(t)
			r.step(added("g1", 1, "old"))
			r.step(roster.DeltasLost{})
			for _, d := range c.pending {
				r.step(d)
			}
			r.fetched(c.found, nil, c.users...)
			for _, d := range c.late {
				r.step(d)
			}
			r.hears(c.want)
		})
	}
}

// A node that has only begun has shown nobody whom Redis could have lost: a user who leaves is gone at once. It was listed for 5 s more.
func TestLeaveWhileTheNodeBegins(t *testing.T) {
	for lost, want := range map[bool]string{false: "+u -u", true: "+u"} {
		r := openRig(t)
		r.step(roster.RedisBack{WasLost: lost})
		r.fetched(roster.Position{}, nil)
		r.step(added("g1", 1, "u"))
		r.step(last("g1", 2, "u"))
		r.hears(want)
	}
}

// A reply was lost, and a fetch shows that Redis has the user: a join that waits for that is answered then. It waited for two beats.
func TestJoinThatAFetchSettles(t *testing.T) {
	r := openRig(t)
	r.join("u")
	r.step(roster.JoinTold{To: ask[roster.TellJoin](r), Err: errLost})
	r.hears("+u ok")
	r.at.Alive = false
	r.join("u")
	r.hears("")
	r.at.Alive = true
	r.step(roster.DeltasLost{})
	r.fetched(at("g1", 1), []string{"u"}, "u")
	r.hears("ok")
}

// There are no ticks while Redis is away, and what waited for one was forgotten.
func TestTicksGoOnWhenRedisIsBack(t *testing.T) {
	r := openRig(t)
	r.at.Online = false
	r.step(roster.RedisLost{})
	r.step(roster.Tick{})
	if r.out.Tick {
		t.Error("ticks without Redis")
	}
	r.at.Online = true
	r.step(roster.RedisBack{WasLost: true})
	if !r.out.Tick {
		t.Error("no tick when Redis is back")
	}
}

// The channel was let go and subscribed again while a fetch was under way: a change may have come in between, of which neither the reply tells
// nor a delta.
func TestFetchFromBeforeTheSubscription(t *testing.T) {
	r := openRig(t)
	r.step(roster.DeltasLost{})
	r.join("u") // keeps the View
	r.step(roster.Close{})
	r.step(roster.Open{})
	r.fetched(at("g1", 1), nil, "gone")
	r.hears("")
	r.fetched(at("g1", 3), nil, "here")
	r.hears("+here")
}

// A View that is over is left alone: ticks and replies that come later change nothing, and another View may be in its place.
func TestViewThatIsOver(t *testing.T) {
	r := openRig(t)
	r.step(roster.CheckAgainstRedis{})
	r.step(roster.Close{})
	if !r.out.Over {
		t.Fatal("not over")
	}
	ask[roster.Unregister](r)
	for _, in := range []roster.Input{
		roster.Tick{}, roster.RedisLost{}, roster.RedisBack{Former: "n0", WasLost: true}, added("g1", 1, "u"),
		roster.Compared{To: ask[roster.Compare](r), At: at("g1", 7)},
	} {
		if r.step(in); len(r.out.Commands)+len(r.out.Events) > 0 || r.out.Tick {
			t.Errorf("%#v: %+v", in, r.out)
		}
	}
	r.step(roster.CatchUp{Done: func(err error) { r.told = append(r.told, err.Error()) }})
	r.hears(roster.ErrUnknown.Error())
}

// A client was told that its user is in; another node that is asked for the users had not heard of it yet.
func TestCatchUpWaitsForTheDelta(t *testing.T) {
	r := openRig(t)
	r.step(roster.CatchUp{Done: func(err error) { r.told = append(r.told, fmt.Sprint(err)) }})
	r.step(roster.Compared{To: ask[roster.Compare](r), At: at("g1", 1)})
	r.hears("")
	r.step(added("g1", 1, "u"))
	r.hears("+u <nil>")
}

// Deltas are lost while a slot moves to another master, or when a lane is full. Whether the View hears of that or not, it finds out.
func TestLostDeltas(t *testing.T) {
	for name, in := range map[string]roster.Input{
		"a lapse":                 roster.DeltasLost{},
		"a gap":                   added("g1", 3, "w"),
		"another generation":      added("g2", 2, "w"),
		"the end of a generation": last("g1", 3, "u"),
	} {
		t.Run(name, func(t *testing.T) {
			r := openRig(t)
			r.step(added("g1", 1, "u"))
			r.step(in)
			r.fetched(at("g1", 3), nil, "v", "w")
			r.hears("+u +v +w -u")
		})
	}
	t.Run("the last one of all", func(t *testing.T) {
		r := openRig(t)
		r.step(added("g1", 1, "u"))
		r.step(roster.CheckAgainstRedis{})
		r.step(roster.Compared{To: ask[roster.Compare](r), At: at("g1", 2)})
		r.at.Now = r.at.Now.Add(3 * modelBeat)
		r.step(roster.Tick{})
		r.fetched(at("g1", 2), nil, "u", "v")
		r.hears("+u +v")
	})
}

// Deltas are lost while a fetch is under way: what it brings may be older than they are.
func TestDeltasLostDuringAFetch(t *testing.T) {
	r := openRig(t)
	r.step(roster.DeltasLost{})
	r.step(roster.DeltasLost{})
	r.fetched(at("g1", 1), nil, "u")
	r.fetched(at("g1", 2), nil, "u", "v")
	r.hears("+u +v")
}

// Redis has another number of this node's users than it should, as after a command that came late: the roster is fetched, and Redis told.
func TestRedisHasTooFewOfOurUsers(t *testing.T) {
	r := openRig(t)
	r.join("u")
	r.joined(at("g1", 1))
	r.step(added("g1", 1, "u"))
	r.step(roster.CheckAgainstRedis{})
	r.step(roster.Compared{To: ask[roster.Compare](r), At: at("g1", 1), Held: 0})
	r.fetched(roster.Position{}, nil)
	ask[roster.TellJoin](r)
	r.hears("+u ok")
}

// Redis has taken out a user who is here: this node tells again with the next tick, before any comparison.
func TestUserIsTakenOutWhoIsHere(t *testing.T) {
	r := openRig(t)
	r.join("u")
	r.joined(at("g1", 2))
	r.step(added("g1", 1, "v"))
	r.step(added("g1", 2, "u"))
	r.step(roster.DeltaCame{Delta: roster.Delta{At: at("g1", 3), Sign: roster.SignRemoved, UserID: "u"}})
	r.step(roster.Tick{})
	ask[roster.TellJoin](r)
	r.hears("+v +u ok")
}

// The delta of a join does not come: the join is answered after two beats.
func TestJoinWhoseDeltaIsLate(t *testing.T) {
	r := openRig(t)
	r.join("u")
	r.joined(at("g1", 1))
	r.hears("")
	r.at.Now = r.at.Now.Add(3 * modelBeat)
	r.step(roster.Tick{})
	r.hears("+u ok")
}

// Two users left with a grace, the second one while Redis looked which graces are over: the answer was taken for both, and the second user was
// a member for ever.
func TestGraceThatIsGivenWhileAnotherEnds(t *testing.T) {
	r := openRig(t)
	for i, user := range []string{"u", "v"} {
		r.join(user)
		r.joined(at("g1", uint64(i+1)))
		r.step(added("g1", uint64(i+1), user))
	}
	leave := func(user string) {
		r.step(roster.Leave{UserID: user, Grace: true})
		r.step(roster.LeaveTold{To: ask[roster.TellLeave](r)})
	}
	leave("u")
	r.at.Now = r.at.Now.Add(modelGrace + modelBeat)
	r.step(roster.Tick{})
	early := ask[roster.EndGraces](r)
	leave("v")
	r.step(roster.GracesEnded{To: early})
	r.at.Now = r.at.Now.Add(modelGrace + modelBeat)
	r.step(roster.Tick{})
	ask[roster.EndGraces](r)
}

// Redis was emptied. A user of two nodes leaves this one before the other has told Redis again: it was announced as gone, and then as here.
func TestLeaveWhileTheNodesTellAgain(t *testing.T) {
	for name, before := range map[string]roster.Input{"it is known": roster.RedisBack{WasLost: true}, "not yet": nil} {
		t.Run(name, func(t *testing.T) {
			r := openRig(t)
			r.join("both")
			r.joined(at("g1", 1))
			r.step(added("g1", 1, "both"))
			r.at.Online = false
			r.step(roster.RedisLost{})
			r.at.Online = true
			if before != nil {
				r.step(before)
				r.fetched(roster.Position{}, nil)
			} else {
				r.step(roster.DeltasLost{})
				r.at.Alive = false
				r.fetched(roster.Position{}, nil)
				r.at.Alive = true
			}
			r.step(roster.Leave{UserID: "both"})
			r.step(added("g2", 1, "both"))
			r.hears("+both ok")
		})
	}
}

// The answer to a leave was lost with Redis: the user was listed until Redis was back.
func TestLeaveWhoseAnswerIsLost(t *testing.T) {
	r := openRig(t)
	r.join("u")
	r.joined(at("g1", 1))
	r.step(added("g1", 1, "u"))
	r.step(roster.Leave{UserID: "u"})
	r.at.Online = false
	r.step(roster.RedisLost{})
	r.step(roster.LeaveTold{To: ask[roster.TellLeave](r), Err: errLost})
	r.hears("+u ok -u")
}

// A node was taken for dead and is not: its users were dropped. They are in again under its new id, and its own list never lost them.
func TestNodeTakenForDead(t *testing.T) {
	r := openRig(t)
	r.join("u")
	r.joined(at("g1", 1))
	r.step(added("g1", 1, "u"))
	r.step(last("g1", 2, "u"))
	r.at.Node = "n2"
	r.step(roster.RedisBack{Former: "n1"})
	r.fetched(roster.Position{}, nil)
	r.step(roster.Registered{To: ask[roster.Register](r)})
	if c := ask[roster.TellJoin](r); c.Node != "n2" || c.UserID != "u" {
		t.Errorf("told %+v", c)
	}
	if c := ask[roster.DropNode](r); c.Node != "n1" {
		t.Errorf("dropped %+v", c)
	}
	r.hears("+u ok")
}
