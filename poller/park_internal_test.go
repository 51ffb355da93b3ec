//go:build linux

package poller

import (
	"fmt"
	"os"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cloudwego/netpoll"
	"golang.org/x/sys/unix"
)

const parkPatience = 20 * time.Second

// A loop that waits in the kernel is in "syscall" and keeps its processor; one that waits in Go's poller is in "IO wait".
func TestLoopsLetGoOfTheirProcessor(t *testing.T) {
	parked(t, 2)
	expectParked(t)
}

// A second Poller finds its loops parked, and leaves nothing behind.
func TestParkTwice(t *testing.T) {
	p := parked(t, 1)[0]
	expectParked(t)
	before, nested := descriptors(t), frames(t)
	for range 20 {
		if err := park(p); err != nil {
			t.Fatal(err)
		}
	}
	expectParked(t)
	if after := descriptors(t); after > before { // fewer: the sockets of an earlier test were still being closed
		t.Errorf("%d descriptors, %d before", after, before)
	}
	if after := frames(t); after != nested {
		t.Errorf("%d parkers on the stacks, %d before", after, nested)
	}
}

// Another netpoll is an error, and no crash.
func TestParkChecksTypes(t *testing.T) {
	type event uint64
	for name, p := range map[string]netpoll.Poll{
		"nil":           (*struct{ netpoll.Poll })(nil),
		"no struct":     notAPoll(0),
		"no descriptor": &struct{ netpoll.Poll }{},
		"no handler": &struct {
			netpoll.Poll
			fd int
		}{},
		"hidden handler": &struct {
			netpoll.Poll
			fd      int
			handler func([]event) bool
		}{},
		"handler of other events": &struct {
			netpoll.Poll
			fd      int
			Handler func([]event) bool
		}{},
	} {
		if err := park(p); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

type notAPoll int

func (notAPoll) Wait() error                                          { return nil }
func (notAPoll) Close() error                                         { return nil }
func (notAPoll) Trigger() error                                       { return nil }
func (notAPoll) Control(*netpoll.FDOperator, netpoll.PollEvent) error { return nil }
func (notAPoll) Alloc() *netpoll.FDOperator                           { return nil }
func (notAPoll) Free(*netpoll.FDOperator)                             {}

// Many sockets are answered at the moment in which the loop finds nothing and begins to wait. A lost event would be waited for in vain.
func TestParkLosesNoEvent(t *testing.T) {
	for _, procs := range []int{1, 2, 4} {
		t.Run(fmt.Sprint(procs), func(t *testing.T) {
			defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(procs))
			polls := parked(t, 2)
			rounds := 5_000
			if testing.Short() {
				rounds = 1_000
			}
			var pairs sync.WaitGroup
			for n := range 6 {
				e := newEcho(t, polls[n%2])
				pairs.Go(func() { e.talk(t, rounds) })
			}
			pairs.Wait()
		})
	}
}

// The loop is parked while nothing happens, and takes no time of any processor.
func TestParkedLoopIsIdle(t *testing.T) {
	parked(t, 1)
	expectParked(t)
	var before, after unix.Rusage
	_ = unix.Getrusage(unix.RUSAGE_SELF, &before)
	<-time.After(300 * time.Millisecond)
	_ = unix.Getrusage(unix.RUSAGE_SELF, &after)
	if used := time.Duration(after.Utime.Nano() + after.Stime.Nano() - before.Utime.Nano() - before.Stime.Nano()); used > 150*time.Millisecond {
		t.Errorf("%v of processor time while nothing happened", used)
	}
}

// Operators that were freed are used again: netpoll takes them back only between two calls of its handler.
func TestParkedLoopGivesOperatorsBack(t *testing.T) {
	p := parked(t, 1)[0]
	seen := map[*netpoll.FDOperator]bool{}
	for range 6 * regather {
		e := newEcho(t, p)
		seen[e.op] = true
		e.talk(t, 1)
		e.end()
	}
	if len(seen) > 3*regather {
		t.Errorf("%d operators for %d sockets in turn", len(seen), 6*regather)
	}
}

// A Poll that netpoll ends leaves neither its goroutine nor its descriptors behind; those that stay go on.
func TestParkedLoopEnds(t *testing.T) {
	one := parked(t, 1)[0]
	expectParked(t)
	before := descriptors(t)
	running := len(pollStates(t))
	for range 5 {
		parked(t, running+3)
		expectParked(t)
		if err := netpoll.Configure(netpoll.Config{PollerNum: running}); err != nil {
			t.Fatal(err)
		}
		if _, err := nextPoll(); err != nil { // makes the change
			t.Fatal(err)
		}
		until(t, "ended Polls are gone", func() bool { return len(pollStates(t)) == running && descriptors(t) <= before })
	}
	newEcho(t, one).talk(t, 100)
}

// echo is a socket that a Poll answers, byte by byte, and the client's end of it.
type echo struct {
	op     *netpoll.FDOperator
	client *os.File
	ended  atomic.Bool
}

func newEcho(t *testing.T, p netpoll.Poll) *echo {
	t.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	e := &echo{op: p.Alloc(), client: os.NewFile(uintptr(fds[1]), "client")}
	e.op.FD = fds[0]
	e.op.OnRead = func(netpoll.Poll) error {
		var b [1]byte
		if n, _ := receive(fds[0], b[:]); n == 1 {
			_, _ = send(fds[0], b[:])
		}
		return nil
	}
	e.op.OnHup = func(netpoll.Poll) error { return nil }
	if err := p.Control(e.op, netpoll.PollReadable); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.end)
	return e
}

func (e *echo) talk(t *testing.T, rounds int) {
	_ = e.client.SetDeadline(time.Now().Add(parkPatience))
	var b [1]byte
	for n := range rounds {
		if _, err := e.client.Write([]byte{byte(n)}); err != nil {
			t.Errorf("write %d: %v", n, err)
			return
		}
		if _, err := e.client.Read(b[:]); err != nil || b[0] != byte(n) {
			t.Errorf("answer %d is %d, %v", n, b[0], err)
			return
		}
	}
}

func (e *echo) end() {
	if e.ended.Swap(true) {
		return
	}
	fd := e.op.FD
	_ = e.op.Control(netpoll.PollDetach)
	e.op.Free()
	_ = unix.Close(fd)
	_ = e.client.Close()
}

// parked parks all Polls, n of them at least.
func parked(t *testing.T, n int) []netpoll.Poll {
	t.Helper()
	if _, err := takePolls(n); err != nil {
		t.Fatal(err)
	}
	polls, err := runningPolls()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range polls {
		if err := park(p); err != nil {
			t.Fatal(err)
		}
	}
	return polls
}

// expectParked waits until the goroutines of all Polls wait in Go's poller.
func expectParked(t *testing.T) {
	t.Helper()
	until(t, "all loops wait in Go's poller", func() bool {
		states := pollStates(t)
		return len(states) > 0 && !slices.ContainsFunc(states, func(s string) bool { return s != "IO wait" })
	})
}

var goroutine = regexp.MustCompile(`^goroutine \d+ [^\n]*\[([^\],]+)`)

// pollStates are the states of the goroutines of all Polls.
func pollStates(t *testing.T) (states []string) {
	t.Helper()
	for _, stack := range strings.Split(stacks(), "\n\n") {
		if strings.Contains(stack, "netpoll.(*defaultPoll).Wait") {
			states = append(states, goroutine.FindStringSubmatch(stack)[1])
		}
	}
	return states
}

// frames counts the calls of parkers on all stacks.
func frames(t *testing.T) int {
	t.Helper()
	return strings.Count(stacks(), ".handle(")
}

func stacks() string {
	b := make([]byte, 1<<20)
	return string(b[:runtime.Stack(b, true)])
}

func descriptors(t *testing.T) int {
	t.Helper()
	list, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(list)
}

func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.After(parkPatience)
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("never: %s\n%s", what, stacks())
		}
	}
}

// Others that Go's poller has something for have their turn although one goroutine could always go on, on one processor.
func TestTurnReachesGoPoller(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	e := newEcho(t, parked(t, 1)[0])
	turn, stop, turns := NewTurn(), make(chan struct{}), 0
	var worker sync.WaitGroup
	worker.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				turn()
				turns++
			}
		}
	})
	const rounds = 500
	e.talk(t, rounds)
	close(stop)
	worker.Wait()
	// Some ten turns for each step there and back. Without them the monitor thread comes every 10 ms, after some thousand.
	if turns > 100*rounds {
		t.Errorf("%d turns for %d answers", turns, rounds)
	}
}
