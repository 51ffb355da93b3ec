package cluster

import (
	"fmt"
	"slices"
	"strings"
	"testing"

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
