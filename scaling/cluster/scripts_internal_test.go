package cluster

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"reverb/internal/redistest"
)

// eval runs one of the scripts, without this package's bus.
type eval struct {
	t     *testing.T
	redis *redistest.Server
}

func (e eval) run(source string, keys, args []string) string {
	e.t.Helper()
	command := append([]string{"EVAL", source, fmt.Sprint(len(keys))}, keys...)
	reply := e.redis.Do(append(command, args...)...)
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

// roster runs a script of a roster on behalf of a node.
func (e eval) roster(source, node string, args ...string) string {
	e.t.Helper()
	const events = "p:{app/room}"
	keys := []string{
		generationKey(events), membersKey(events), userNodesKey(events), onNodeKey(events, node), lingeringKey(events), events,
	}
	return e.run(rosterSource+source, keys, append([]string{"PUBLISH", deltaHeader}, args...))
}

// nodes runs a script about the nodes.
func (e eval) nodes(source string, args ...string) string {
	e.t.Helper()
	n := names{"p"}
	return e.run(nodesSource+source, []string{n.nodes(), n.counts(), n.dead(), n.buried()}, args)
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
	source := map[string]string{join: joinSource, leave: leaveSource, drop: dropSource, fetch: fetchSource, check: checkSource}
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
				if got := e.roster(source[s.script], s.node, strings.Fields(s.args)...); got != s.want {
					t.Fatalf("step %d, %s %s: %s, want %s", i, s.script, s.args, got, s.want)
				}
			}
			e.empty()
		})
	}
}

func TestNodeScripts(t *testing.T) {
	e := eval{t, redistest.Start(t)}
	beat := func(node, fresh, former string) string {
		t.Helper()
		return e.nodes(beatSource, node, "{}", fresh, former, "10000", "1", "50000", `{"name":"host"}`)
	}
	lives := func(reply string) {
		t.Helper()
		if !strings.HasPrefix(reply, "[lives ") {
			t.Errorf("beat: %s", reply)
		}
	}
	const dead = "[dead [] [] []]"
	lives(beat("a", "1", ""))
	lives(beat("a", "0", ""))
	if got := beat("b", "0", ""); got != dead {
		t.Errorf("of a node that Redis does not know: %s", got)
	}
	lives(beat("b", "1", ""))
	last := fmt.Sprint(e.redis.Do("ZSCORE", "p:{nodes}", "b"))
	lives(beat("b", "0", ""))
	if got := e.nodes(burySource, "b", last, "0"); got != "0" {
		t.Errorf("bury a node that has beaten since: %s", got)
	}
	last = fmt.Sprint(e.redis.Do("ZSCORE", "p:{nodes}", "b"))
	if got := e.nodes(burySource, "b", last, "0"); got != "1" {
		t.Errorf("bury a node that is silent: %s", got)
	}
	if got := beat("b", "0", ""); got != dead {
		t.Errorf("of a dead node: %s", got)
	}
	if got := beat("b", "1", ""); got != dead {
		t.Errorf("of a dead node that says it is new: %s", got)
	}
	if got := beat("c", "1", "b"); !strings.HasSuffix(got, " []]") {
		t.Errorf("who comes back looks after himself first: %s", got)
	}
	if got := e.nodes(lookedSource, "b", "0", "1", "60000"); got != "0" {
		t.Errorf("forget the dead at once: %s", got)
	}
	if got := beat("a", "0", ""); !strings.HasSuffix(got, " [b]]") {
		t.Errorf("nobody looks after the dead: %s", got)
	}
	if got := beat("a", "0", ""); !strings.HasSuffix(got, " []]") {
		t.Errorf("two look after the dead: %s", got)
	}
	if got := e.nodes(lookedSource, "b", "0", "1", "0"); got != "1" {
		t.Errorf("never forget the dead: %s", got)
	}
	for _, node := range []string{"a", "c"} {
		e.nodes(burySource, node, "", "0")
		if got := e.nodes(lookedSource, node, "0", "1", "60000"); got != "1" {
			t.Errorf("who left by itself is not forgotten: %s", got)
		}
	}
	for _, node := range []string{"a", "b", "c"} {
		e.nodes(forgetSource, node)
	}
	e.nodes(burySource, "d", "", "0", "1")
	if got := e.nodes(lookedSource, "d", "0", "1", "60000"); got != "0" {
		t.Errorf("who left by itself over a second connection is forgotten at once: %s", got)
	}
	e.nodes(forgetSource, "d")
	e.empty()
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
	e.roster(fill, "a")
	e.redis.Do("CONFIG", "RESETSTAT")
	for i := range 200 {
		e.roster(joinSource, "a", fmt.Sprint("u", i), "{}", "100000", "g2")
		e.roster(leaveSource, "a", fmt.Sprint("u", i), "0")
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

func TestDecodeDelta(t *testing.T) {
	tests := map[string]string{
		`+g1 7 {"user_id":1,"user_info":{}}`: "+ g1 7 1",
		"-g1 8 some body":                    "- g1 8 some body",
		"0g1 9 1":                            "0 g1 9 1",
		"":                                   "",
		"+":                                  "",
		"+g1":                                "",
		"+g1 7":                              "",
		"+g1 x {}":                           "",
		"+g1 7 {}":                           "",
		"+g1 7 [":                            "",
		"- 8 u":                              "",
		"?g1 8 u":                            "",
	}
	for body, want := range tests {
		got := ""
		if d, err := decodeDelta([]byte(body)); err == nil {
			got = fmt.Sprintf("%c %s %d %s", d.sign, d.generation, d.version, d.userID)
		}
		if got != want {
			t.Errorf("%q: %q, want %q", body, got, want)
		}
	}
}

func FuzzDecodeDelta(f *testing.F) {
	for _, s := range []string{`+g1 7 {"user_id":1,"user_info":{}}`, "-g1 8 u", "0g1 9 u"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		if d, err := decodeDelta(body); err == nil && (d.generation == "" || d.sign == signAdded && d.userID == "") {
			t.Errorf("%q: %+v", body, d)
		}
	})
}
