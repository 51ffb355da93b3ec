package roster_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"reverb/internal/redistest"
	"reverb/scaling/cluster/roster"
)

// twin is what Redis has of one channel, and does by the scripts. TestTwin compares it with the scripts themselves.
type twin struct {
	now     int64 // ms
	publish func(roster.Delta)
	order   func([]string) // puts users that go at once into an order; Redis has none

	generation string
	version    uint64
	members    map[string]twinMember      // KEYS[2]
	holders    map[string]int             // KEYS[3]
	onNode     map[string]map[string]bool // KEYS[4], by node
	graces     map[string]int64           // KEYS[5]: until when
}

type twinMember struct {
	came uint64
	data string
}

func newTwin(publish func(roster.Delta)) *twin {
	return &twin{
		publish: publish, order: func([]string) {},
		members: map[string]twinMember{}, holders: map[string]int{}, onNode: map[string]map[string]bool{}, graces: map[string]int64{},
	}
}

func (w *twin) position() roster.Position {
	return roster.Position{Generation: w.generation, Version: w.version}
}

// join is scripts/join.lua.
func (w *twin) join(node, user, data string, most int, generation string) (outcome string, at roster.Position, elsewhere bool) {
	_, known := w.members[user]
	if !known && most > 0 && len(w.members) >= most {
		return "full", roster.Position{}, false
	}
	if !w.onNode[node][user] {
		if w.onNode[node] == nil {
			w.onNode[node] = map[string]bool{}
		}
		w.onNode[node][user] = true
		w.holders[user]++
	}
	if _, lingers := w.graces[user]; lingers {
		delete(w.graces, user)
		w.holders[user]--
	}
	elsewhere = w.holders[user] > 1
	if known {
		return "known", w.position(), elsewhere
	}
	if w.generation == "" {
		w.generation = generation
	}
	w.version++
	w.members[user] = twinMember{w.version, data}
	m, err := roster.ParseMember(data)
	if err != nil {
		panic(err)
	}
	w.publish(roster.Delta{At: w.position(), Sign: roster.SignAdded, Member: m, UserID: user})
	return "added", w.position(), elsewhere
}

// leave is scripts/leave.lua.
func (w *twin) leave(node, user string, grace int64) (sign string, at roster.Position) {
	if !w.takeFrom(node, user) {
		return "", w.position()
	}
	return w.part(user, grace)
}

func (w *twin) takeFrom(node, user string) bool {
	if !w.onNode[node][user] {
		return false
	}
	delete(w.onNode[node], user)
	if len(w.onNode[node]) == 0 {
		delete(w.onNode, node)
	}
	return true
}

// part and release are those of scripts/roster.lua.
func (w *twin) part(user string, grace int64) (sign string, at roster.Position) {
	if grace > 0 {
		_, lingers := w.graces[user]
		w.graces[user] = w.now + grace
		if !lingers {
			return "", w.position()
		}
	}
	return w.release(user)
}

func (w *twin) release(user string) (sign string, at roster.Position) {
	w.holders[user]--
	if w.holders[user] > 0 {
		return "", w.position()
	}
	delete(w.holders, user)
	if _, known := w.members[user]; !known {
		return "", w.position()
	}
	delete(w.members, user)
	w.version++
	at = w.position()
	s := byte(roster.SignRemoved)
	if len(w.members) == 0 {
		w.generation, w.version = "", 0
		clear(w.holders)
		clear(w.graces)
		s = roster.SignLast
	}
	w.publish(roster.Delta{At: at, Sign: s, UserID: user})
	return string(s), at
}

// drop is scripts/drop.lua.
func (w *twin) drop(node string, most int, grace, longest int64) (held, lingering int) {
	var users []string
	if most > 0 {
		users = slices.Sorted(maps.Keys(w.onNode[node]))
	}
	w.order(users)
	for _, user := range users[:min(most, len(users))] {
		w.takeFrom(node, user)
		w.part(user, grace)
	}
	var over []string
	for _, user := range slices.Sorted(maps.Keys(w.graces)) {
		if until := w.graces[user]; until <= w.now || until > w.now+longest {
			over = append(over, user)
		}
	}
	w.order(over)
	for _, user := range over {
		delete(w.graces, user)
		w.release(user)
	}
	return len(w.onNode[node]), len(w.graces)
}

// fetch is scripts/fetch.lua.
func (w *twin) fetch(node string) (in roster.Fetched) {
	in.At = w.position()
	users := slices.Sorted(maps.Keys(w.members))
	slices.SortFunc(users, func(a, b string) int { return int(w.members[a].came) - int(w.members[b].came) })
	for _, user := range users {
		m, err := roster.ParseMember(w.members[user].data)
		if err != nil {
			panic(err)
		}
		in.Members = append(in.Members, m)
	}
	in.Ours = slices.Sorted(maps.Keys(w.onNode[node]))
	return in
}

// check is scripts/check.lua.
func (w *twin) check(node string) (at roster.Position, held int) {
	return w.position(), len(w.onNode[node])
}

// left says what is left, in one line.
func (w *twin) left() string {
	if w.generation == "" && w.version == 0 && len(w.members)+len(w.holders)+len(w.onNode)+len(w.graces) == 0 {
		return ""
	}
	return fmt.Sprint(w.generation, w.version, w.members, w.holders, w.onNode, w.graces)
}

// inconsistent says what no order of the scripts may leave behind.
func (w *twin) inconsistent() string {
	counted := map[string]int{}
	for _, users := range w.onNode {
		for user := range users {
			counted[user]++
		}
	}
	for user := range w.graces {
		counted[user]++
	}
	if !maps.Equal(counted, w.holders) {
		return fmt.Sprintf("holders %v, counted %v", w.holders, counted)
	}
	for user := range w.members {
		if w.holders[user] == 0 {
			return user + " is a member without a holder"
		}
	}
	if len(w.members) != len(w.holders) {
		return fmt.Sprintf("holders of %v, members %v", w.holders, w.members)
	}
	return ""
}

func dataOf(user string) string { return `{"user_id":"` + user + `"}` }

// TestTwin has the scripts in a real Redis and the twin do the same at random: replies, deltas and what is kept must be the same.
func TestTwin(t *testing.T) {
	e := eval{t, redistest.Start(t)}
	rnd := rand.New(rand.NewPCG(1, 2))
	var deltas []string
	w := newTwin(func(d roster.Delta) {
		what := d.UserID
		if d.Member != nil {
			what = string(d.Member.Raw)
		}
		deltas = append(deltas, fmt.Sprintf("%s%c%s %d %s", deltaHeader, d.Sign, d.At.Generation, d.At.Version, what))
	})
	w.now = time.Now().UnixMilli()
	nodes := []string{"a", "b", "c"}
	for i := range 1000 {
		node, user := nodes[rnd.IntN(3)], fmt.Sprint("u", rnd.IntN(5))
		w.now++
		deltas = nil
		var source string
		var args []string
		var twins func() string
		switch n := rnd.IntN(100); {
		case n < 40:
			most, generation := rnd.IntN(4), fmt.Sprint("g", i)
			source, args = roster.JoinSource(), []string{user, dataOf(user), fmt.Sprint(most), generation}
			twins = func() string {
				outcome, at, elsewhere := w.join(node, user, dataOf(user), most, generation)
				return fmt.Sprint([]any{outcome, at.Generation, at.Version, map[bool]int{true: 1}[elsewhere]})
			}
		case n < 75:
			grace := []int64{0, 1, 60000}[rnd.IntN(3)]
			source, args = roster.LeaveSource(), []string{user, fmt.Sprint(grace)}
			twins = func() string {
				sign, at := w.leave(node, user, grace)
				return fmt.Sprint([]any{sign, at.Generation, at.Version})
			}
		case n < 85:
			e.awaitTick() // a grace of a millisecond is over
			w.now += 2
			most, grace, longest := rnd.IntN(2)*500, rnd.Int64N(2)*60000, rnd.Int64N(2)*600000
			source, args = roster.DropSource(), []string{fmt.Sprint(most), fmt.Sprint(grace), fmt.Sprint(longest)}
			twins = func() string {
				held, lingering := w.drop(node, most, grace, longest)
				return fmt.Sprint([]any{held, lingering})
			}
		case n < 95:
			source = roster.FetchSource()
			twins = func() string { return fetchedLine(w, node) }
		default:
			source = roster.CheckSource()
			twins = func() string {
				at, held := w.check(node)
				return fmt.Sprint([]any{at.Generation, at.Version, held})
			}
		}
		reply, published := e.logged(source, node, args...)
		w.order = orderOf(published)
		if got := twins(); got != reply || !slices.Equal(deltas, published) {
			t.Fatalf("step %d, node %s, %q\nthe scripts: %s %q\nthe twin:    %s %q", i, node, args, reply, published, got, deltas)
		}
		if wrong := w.inconsistent(); wrong != "" {
			t.Fatalf("step %d: %s", i, wrong)
		}
		if kept, got := e.kept(nodes), keptBy(w, nodes); kept != got {
			t.Fatalf("step %d, node %s, %q\nRedis has:    %s\nthe twin has: %s", i, node, args, kept, got)
		}
	}
}

// awaitTick waits until the clock of Redis has moved by two milliseconds.
func (e eval) awaitTick() {
	e.t.Helper()
	clock := func() int {
		at := e.redis.Do("TIME").([]any)
		seconds, _ := strconv.Atoi(at[0].(string))
		micros, _ := strconv.Atoi(at[1].(string))
		return seconds*1e6 + micros
	}
	start := clock()
	if !redistest.Eventually(10*time.Second, func() bool { return clock() >= start+2000 }) {
		e.t.Fatal("the clock of Redis stands still")
	}
}

// orderOf puts users into the order in which deltas name them.
func orderOf(published []string) func([]string) {
	place := map[string]int{}
	for i, delta := range published {
		place[delta[strings.LastIndexByte(delta, ' ')+1:]] = i
	}
	return func(users []string) {
		slices.SortStableFunc(users, func(a, b string) int { return place[a] - place[b] })
	}
}

func fetchedLine(w *twin, node string) string {
	in := w.fetch(node)
	flat := []string{}
	for user, m := range w.members {
		flat = append(flat, user+" "+strconv.FormatUint(m.came, 10)+" "+m.data)
	}
	slices.Sort(flat)
	return fmt.Sprint([]any{in.At.Generation, in.At.Version, flat, in.Ours})
}

// logged runs a script and returns its reply, as the twin's, and the deltas that it has published: they are put into a list instead.
func (e eval) logged(source, node string, args ...string) (reply string, deltas []string) {
	e.t.Helper()
	keys := roster.Keys(eventsName, node)
	command := append([]string{"EVAL", source, fmt.Sprint(len(keys))}, keys...)
	parts, ok := e.redis.Do(append(append(command, "RPUSH", deltaHeader), args...)...).([]any)
	if !ok {
		e.t.Fatalf("%q: no list", args)
	}
	for i, part := range parts {
		if list, ok := part.([]any); ok {
			parts[i] = sortedParts(list, i == 2)
		}
	}
	for _, delta := range e.redis.Do("LRANGE", eventsName, "0", "-1").([]any) {
		deltas = append(deltas, delta.(string))
	}
	e.redis.Do("DEL", eventsName)
	return fmt.Sprint(parts), deltas
}

// sortedParts is a set, or a hash with its fields and values together, in one order.
func sortedParts(list []any, hash bool) []string {
	sorted := []string{}
	for i := 0; i < len(list); i++ {
		s := fmt.Sprint(list[i])
		if hash {
			i++
			s += " " + fmt.Sprint(list[i])
		}
		sorted = append(sorted, s)
	}
	slices.Sort(sorted)
	return sorted
}

// kept is what Redis has of the channel, but for the times.
func (e eval) kept(nodes []string) string {
	keys := roster.Keys(eventsName, "")
	list := func(hash bool, command ...string) []string { return sortedParts(e.redis.Do(command...).([]any), hash) }
	all := []any{list(true, "HGETALL", keys[0]), list(true, "HGETALL", keys[1]), list(true, "HGETALL", keys[2])}
	for _, node := range nodes {
		all = append(all, list(false, "SMEMBERS", roster.Keys(eventsName, node)[3]))
	}
	return fmt.Sprint(append(all, list(false, "ZRANGE", keys[4], "0", "-1"))...)
}

func keptBy(w *twin, nodes []string) string {
	at, members, holders := []string{}, []string{}, []string{}
	if w.generation != "" {
		at = []string{"g " + w.generation, fmt.Sprint("v ", w.version)}
	}
	for user, m := range w.members {
		members = append(members, fmt.Sprint(user, " ", m.came, " ", m.data))
		holders = append(holders, fmt.Sprint(user, " ", w.holders[user]))
	}
	slices.Sort(members)
	slices.Sort(holders)
	all := []any{at, members, holders}
	for _, node := range nodes {
		all = append(all, append([]string{}, slices.Sorted(maps.Keys(w.onNode[node]))...))
	}
	return fmt.Sprint(append(all, append([]string{}, slices.Sorted(maps.Keys(w.graces))...))...)
}
