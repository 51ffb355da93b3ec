package measure_test

import (
	"math"
	"math/rand/v2"
	"sync"
	"testing"

	"reverb/bench/measure"
)

// last makes every publisher have sent n events.
func last(n int) func(int, int) int { return func(int, int) int { return n } }

func TestChecker(t *testing.T) {
	for name, c := range map[string]struct {
		seen []int
		sent int
		want measure.Checks
	}{
		"nothing sent":          {nil, 0, measure.Checks{}},
		"all":                   {[]int{1, 2, 3}, 3, measure.Checks{Expected: 3, Delivered: 3}},
		"nothing came":          {nil, 3, measure.Checks{Expected: 3, Missing: 3}},
		"first missing":         {[]int{2, 3}, 3, measure.Checks{Expected: 3, Delivered: 2, Missing: 1}},
		"middle missing":        {[]int{1, 4}, 4, measure.Checks{Expected: 4, Delivered: 2, Missing: 2}},
		"last missing":          {[]int{1, 2}, 4, measure.Checks{Expected: 4, Delivered: 2, Missing: 2}},
		"twice":                 {[]int{1, 1, 2, 2, 2}, 2, measure.Checks{Expected: 2, Delivered: 2, Duplicated: 3}},
		"swapped":               {[]int{2, 1, 3}, 3, measure.Checks{Expected: 3, Delivered: 3, Reordered: 1}},
		"late and twice":        {[]int{3, 1, 1, 2}, 3, measure.Checks{Expected: 3, Delivered: 3, Reordered: 2, Duplicated: 1}},
		"more than was sent":    {[]int{1, 2, 3}, 2, measure.Checks{Expected: 3, Delivered: 3, Unknown: 1}},
		"sent nothing, had one": {[]int{1}, 0, measure.Checks{Expected: 1, Delivered: 1, Unknown: 1}},
		"no numbers":            {[]int{0, -1, math.MaxUint32, 1}, 1, measure.Checks{Expected: 1, Delivered: 1, Unknown: 3}},
	} {
		t.Run(name, func(t *testing.T) {
			checker := measure.NewChecker(1, 1)
			for _, seq := range c.seen {
				checker.Seen(0, 0, seq)
			}
			got := checker.Finish(last(c.sent))
			if got != c.want {
				t.Errorf("seen %v of %d: got %+v, want %+v", c.seen, c.sent, got, c.want)
			}
			if ok := c.want.Missing+c.want.Duplicated+c.want.Reordered+c.want.Unknown == 0; got.OK() != ok {
				t.Errorf("OK is %v", got.OK())
			}
		})
	}
}

func TestCheckerRefusesUnknownPublishers(t *testing.T) {
	checker := measure.NewChecker(2, 2)
	checker.Seen(0, 2, 1)
	checker.Seen(0, -1, 1)
	if got, want := checker.Finish(last(0)), (measure.Checks{Unknown: 2}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

// TestCheckerAgainstModel plays random deliveries with losses, repeats and swaps, and counts them again the slow way.
func TestCheckerAgainstModel(t *testing.T) {
	for seed := range uint64(300) {
		random := rand.New(rand.NewPCG(seed, 1))
		subscriptions, publishers, sent := 1+random.IntN(4), 1+random.IntN(3), random.IntN(60)
		checker := measure.NewChecker(subscriptions, publishers)
		var want measure.Checks
		for s := range subscriptions {
			for p := range publishers {
				seen, highest := map[int]bool{}, 0
				for _, seq := range garble(random, sent) {
					checker.Seen(s, p, seq)
					switch {
					case seen[seq]:
						want.Duplicated++
					case seq < highest:
						want.Reordered++
					}
					seen[seq], highest = true, max(highest, seq)
				}
				want.Expected += int64(sent)
				want.Delivered += int64(len(seen))
				want.Missing += int64(sent - len(seen))
			}
		}
		if got := checker.Finish(last(sent)); got != want {
			t.Fatalf("seed %d: got %+v, want %+v", seed, got, want)
		}
	}
}

// garble is 1…n with some lost, some twice and some swapped.
func garble(random *rand.Rand, n int) []int {
	var order []int
	for seq := 1; seq <= n; seq++ {
		switch random.IntN(10) {
		case 0:
		case 1:
			order = append(order, seq, seq)
		default:
			order = append(order, seq)
		}
	}
	for range n / 8 {
		if len(order) > 1 {
			a, b := random.IntN(len(order)), random.IntN(len(order))
			order[a], order[b] = order[b], order[a]
		}
	}
	return order
}

func TestCheckerJoinAndLeave(t *testing.T) {
	started := func(n int) func(int) int { return func(int) int { return n } }
	for name, c := range map[string]struct {
		play func(*measure.Checker)
		want measure.Checks
	}{
		"joins late": {
			func(c *measure.Checker) { c.Join(0, started(5)); seenAll(c, 6, 10) },
			measure.Checks{Expected: 5, Delivered: 5},
		},
		"joins late and has some before": {
			func(c *measure.Checker) { c.Join(0, started(5)); seenAll(c, 4, 10) },
			measure.Checks{Expected: 7, Delivered: 7},
		},
		"joins late and misses the first": {
			func(c *measure.Checker) { c.Join(0, started(5)); seenAll(c, 7, 10) },
			measure.Checks{Expected: 5, Delivered: 4, Missing: 1},
		},
		"joins late and has nothing": {
			func(c *measure.Checker) { c.Join(0, started(5)) },
			measure.Checks{Expected: 5, Missing: 5},
		},
		"joins after the last": {
			func(c *measure.Checker) { c.Join(0, started(10)) },
			measure.Checks{},
		},
		"joins anywhere": {
			func(c *measure.Checker) { c.Join(0, nil); seenAll(c, 8, 10) },
			measure.Checks{Expected: 3, Delivered: 3},
		},
		"joins anywhere and has nothing": {
			func(c *measure.Checker) { c.Join(0, nil) },
			measure.Checks{},
		},
		"begins with one that overtook another": {
			func(c *measure.Checker) { c.Join(0, nil); c.Seen(0, 0, 9); c.Seen(0, 0, 7); c.Seen(0, 0, 10) },
			measure.Checks{Expected: 4, Delivered: 3, Missing: 1, Reordered: 1},
		},
		"leaves": {
			func(c *measure.Checker) { seenAll(c, 1, 4); c.Leave(0); c.Seen(0, 0, 5) },
			measure.Checks{Expected: 4, Delivered: 4},
		},
		"leaves with a gap": {
			func(c *measure.Checker) { seenAll(c, 1, 2); c.Seen(0, 0, 4); c.Leave(0) },
			measure.Checks{Expected: 4, Delivered: 3, Missing: 1},
		},
		"leaves and joins again": {
			func(c *measure.Checker) {
				seenAll(c, 1, 3)
				c.Leave(0)
				c.Leave(0)
				c.Join(0, started(6))
				seenAll(c, 7, 10)
			},
			measure.Checks{Expected: 7, Delivered: 7},
		},
		"joins again without leaving": {
			func(c *measure.Checker) { seenAll(c, 1, 3); c.Join(0, started(6)); seenAll(c, 7, 10) },
			measure.Checks{Expected: 7, Delivered: 7},
		},
	} {
		t.Run(name, func(t *testing.T) {
			checker := measure.NewChecker(1, 1)
			c.play(checker)
			if got := checker.Finish(last(10)); got != c.want {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
		})
	}
}

func seenAll(c *measure.Checker, from, to int) {
	for seq := from; seq <= to; seq++ {
		c.Seen(0, 0, seq)
	}
}

func TestCheckerForgetsNamesNotNumbers(t *testing.T) {
	checker := measure.NewChecker(1, 1)
	end := measure.MaxGaps + 101
	checker.Seen(0, 0, end)
	for seq := 1; seq < end; seq++ {
		checker.Seen(0, 0, seq)
	}
	want := measure.Checks{Expected: int64(end), Delivered: int64(end), Reordered: int64(end - 1)}
	if got := checker.Finish(last(end)); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestCheckerManyGoroutines(t *testing.T) {
	const subscriptions, publishers, events = 8, 3, 500
	checker := measure.NewChecker(subscriptions, publishers)
	var all sync.WaitGroup
	for s := range subscriptions {
		all.Go(func() {
			for seq := 1; seq <= events; seq++ {
				for p := range publishers {
					if seq%100 != 0 || p > 0 { // the first publisher's hundredths are lost
						checker.Seen(s, p, seq)
					}
				}
			}
			if s == 0 {
				checker.Leave(s)
			}
		})
	}
	all.Wait()
	// The one that left does not miss the last of the first publisher.
	want := measure.Checks{Expected: subscriptions*publishers*events - 1, Missing: subscriptions*events/100 - 1}
	want.Delivered = want.Expected - want.Missing
	if got := checker.Finish(last(events)); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestChecksAdd(t *testing.T) {
	a := measure.Checks{Expected: 1, Delivered: 2, Missing: 3, Duplicated: 4, Reordered: 5, Unknown: 6}
	if got, want := a.Add(a), (measure.Checks{Expected: 2, Delivered: 4, Missing: 6, Duplicated: 8, Reordered: 10, Unknown: 12}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}
