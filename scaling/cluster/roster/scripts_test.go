package roster_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"reverb/internal/redistest"
	"reverb/scaling/cluster/roster"
)

const (
	eventsName  = "p:{app/room}"
	deltaHeader = "D"
)

// eval runs scripts in a real Redis.
type eval struct {
	t     *testing.T
	redis *redistest.Server
}

// run runs a script on behalf of a node, and returns the reply in one line.
func (e eval) run(source, node string, args ...string) string {
	e.t.Helper()
	keys := roster.Keys(eventsName, node)
	command := append([]string{"EVAL", source, fmt.Sprint(len(keys))}, keys...)
	reply := e.redis.Do(append(append(command, "PUBLISH", deltaHeader), args...)...)
	if err, failed := reply.(error); failed {
		e.t.Fatalf("%v: %v", args, err)
	}
	if parts, ok := reply.([]any); ok && len(parts) > 0 {
		if set, ok := parts[len(parts)-1].([]any); ok { // Redis has no order for it
			slices.SortFunc(set, func(a, b any) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
		}
	}
	return fmt.Sprint(reply)
}

func (e eval) empty() {
	e.t.Helper()
	if keys := fmt.Sprint(e.redis.Do("KEYS", "*")); keys != "[]" {
		e.t.Errorf("keys left: %s", keys)
	}
}

func TestRosterScripts(t *testing.T) {
	const (
		join  = "join"
		leave = "leave"
		drop  = "drop"
		fetch = "fetch"
		check = "check"
	)
	source := map[string]string{
		join: roster.JoinSource(), leave: roster.LeaveSource(), drop: roster.DropSource(), fetch: roster.FetchSource(), check: roster.CheckSource(),
	}
	type step struct{ script, node, args, want string }
	tests := map[string][]step{
		"first and last": {
			{join, "a", "u U 0 g1", "[added g1 1 0]"},
			{join, "a", "v V 0 g2", "[added g1 2 0]"},
			{fetch, "a", "", "[g1 2 [u 1 U v 2 V] [u v]]"},
			{leave, "a", "u 0", "[- g1 3]"},
			{check, "a", "", "[g1 3 1]"},
			{leave, "a", "v 0", "[0 g1 4]"},
			{fetch, "a", "", "[ 0 [] []]"},
			{join, "a", "u U 0 g3", "[added g3 1 0]"},
			{leave, "a", "u 0", "[0 g3 2]"},
		},
		"twice changes nothing": {
			{join, "a", "u U 0 g1", "[added g1 1 0]"},
			{join, "a", "u other 0 g2", "[known g1 1 0]"},
			{fetch, "a", "", "[g1 1 [u 1 U] [u]]"},
			{leave, "b", "u 0", "[ g1 1]"},
			{leave, "a", "u 0", "[0 g1 2]"},
			{leave, "a", "u 0", "[  0]"},
		},
		"on two nodes": {
			{join, "a", "u U 0 g1", "[added g1 1 0]"},
			{join, "b", "u U 0 g2", "[known g1 1 1]"},
			{leave, "a", "u 0", "[ g1 1]"},
			{leave, "b", "u 0", "[0 g1 2]"},
		},
		"full": {
			{join, "a", "u U 2 g1", "[added g1 1 0]"},
			{join, "a", "v V 2 g1", "[added g1 2 0]"},
			{join, "b", "w W 2 g1", "[full  0 0]"},
			{join, "b", "v V 2 g1", "[known g1 2 1]"},
			{drop, "a", "500 0 3000", "[0 0]"},
			{leave, "b", "v 0", "[0 g1 4]"},
		},
		"a dead node": {
			{join, "a", "u U 0 g1", "[added g1 1 0]"},
			{join, "a", "v V 0 g1", "[added g1 2 0]"},
			{join, "b", "v V 0 g1", "[known g1 2 1]"},
			{drop, "a", "1 0 3000", "[1 0]"},
			{drop, "a", "1 0 3000", "[0 0]"},
			{drop, "a", "1 0 3000", "[0 0]"},
			{fetch, "a", "", "[g1 3 [v 2 V] []]"},
			{leave, "b", "v 0", "[0 g1 4]"},
		},
		"grace": {
			{join, "a", "u U 0 g1", "[added g1 1 0]"},
			{leave, "a", "u 60000", "[ g1 1]"},
			{drop, "", "0 0 60000", "[0 1]"},
			{join, "b", "u U 0 g2", "[known g1 1 0]"},
			{drop, "", "0 0 60000", "[0 0]"},
			{leave, "b", "u 60000", "[ g1 1]"},
			{join, "b", "u U 0 g2", "[known g1 1 0]"},
			{join, "a", "u U 0 g2", "[known g1 1 1]"},
			{leave, "a", "u 60000", "[ g1 1]"},
			{leave, "b", "u 60000", "[ g1 1]"},
			{drop, "", "0 0 60000", "[0 1]"},
			{drop, "", "0 0 0", "[0 0]"}, // as if the clock had been set back since
		},
		"graces of a node that leaves": {
			{join, "a", "u U 0 g1", "[added g1 1 0]"},
			{drop, "a", "500 60000 60000", "[0 1]"},
			{fetch, "a", "", "[g1 1 [u 1 U] []]"},
			{drop, "a", "500 0 0", "[0 0]"},
		},
	}
	redis := redistest.Start(t)
	for name, steps := range tests {
		t.Run(name, func(t *testing.T) {
			e := eval{t, redis}
			redis.Do("FLUSHALL")
			for i, s := range steps {
				if got := e.run(source[s.script], s.node, strings.Fields(s.args)...); got != s.want {
					t.Fatalf("step %d, %s %s: %s, want %s", i, s.script, s.args, got, s.want)
				}
			}
			e.empty()
		})
	}
}

// A join costs the same with 20 members as with 20,000: one script in a moment.
func TestJoinsDoNotSlowDown(t *testing.T) {
	e := eval{t, redistest.Start(t)}
	fill := `for i = 1, 20000 do
		redis.call('HSET', KEYS[2], 'm' .. i, i .. ' {}')
		redis.call('HSET', KEYS[3], 'm' .. i, 1)
		redis.call('SADD', KEYS[4], 'm' .. i)
	end
	redis.call('HSET', KEYS[1], 'g', 'g1', 'v', 20000)`
	e.run(fill, "a")
	e.redis.Do("CONFIG", "RESETSTAT")
	for i := range 200 {
		e.run(roster.JoinSource(), "a", fmt.Sprint("u", i), "{}", "100000", "g2")
		e.run(roster.LeaveSource(), "a", fmt.Sprint("u", i), "0")
	}
	stats := fmt.Sprint(e.redis.Do("INFO", "commandstats"))
	_, line, _ := strings.Cut(stats, "cmdstat_eval:")
	var calls, usec int64
	if _, err := fmt.Sscanf(line, "calls=%d,usec=%d", &calls, &usec); err != nil {
		t.Fatalf("%v in %q", err, stats)
	}
	if each := time.Duration(usec/calls) * time.Microsecond; each > 5*time.Millisecond {
		t.Errorf("%d scripts took %v each", calls, each)
	}
}
