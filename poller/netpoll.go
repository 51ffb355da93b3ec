package poller

import (
	"fmt"
	"io"
	"reflect"
	"unsafe"

	"github.com/cloudwego/netpoll"
	"golang.org/x/sys/unix"
)

// LogTo says where netpoll writes what it has to say: of descriptors that are not what they should be. Without it that is stderr. It is for
// the program to call, before New.
func LogTo(w io.Writer) { netpoll.SetLoggerOutput(w) }

// takePolls returns n of netpoll's running Polls. netpoll exports Poll and FDOperator but no way to reach a running Poll,
// and its own Connection costs twenty times the memory of ours, so Polls are read out of throw-away connections. They
// belong to the process: more are started when n asks for it, none is ended.
func takePolls(n int) ([]netpoll.Poll, error) {
	polls, err := runningPolls()
	if err != nil || len(polls) >= n {
		return polls[:min(n, len(polls))], err
	}
	if err = netpoll.Configure(netpoll.Config{PollerNum: n}); err == nil {
		polls, err = runningPolls()
	}
	return polls, err
}

// runningPolls lists the Polls in the order netpoll hands them out, which is round robin.
func runningPolls() (polls []netpoll.Poll, err error) {
	for {
		p, err := nextPoll()
		if err != nil || len(polls) > 0 && p == polls[0] {
			return polls, err
		}
		polls = append(polls, p)
	}
}

func nextPoll() (netpoll.Poll, error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM, 0)
	if err != nil {
		return nil, fmt.Errorf("open socket pair: %w", err)
	}
	defer func() { _ = unix.Close(fds[1]) }()
	c, err := netpoll.NewFDConnection(fds[0])
	if err != nil {
		return nil, fmt.Errorf("open netpoll connection: %w", err)
	}
	defer func() { _ = c.Close() }()
	return pollOf(c)
}

// pollOf reads c.operator.poll, and checks the types: another netpoll is an error at start and not a crash.
func pollOf(c any) (netpoll.Poll, error) {
	op := reflect.Indirect(reflect.ValueOf(c)).FieldByName("operator")
	if !op.IsValid() || op.Type() != reflect.TypeFor[*netpoll.FDOperator]() || op.IsNil() {
		return nil, fmt.Errorf("netpoll's connection has no operator")
	}
	poll := op.Elem().FieldByName("poll")
	if !poll.IsValid() || poll.Type() != reflect.TypeFor[netpoll.Poll]() || poll.IsNil() {
		return nil, fmt.Errorf("netpoll's operator has no poll")
	}
	return *(*netpoll.Poll)(unsafe.Pointer(poll.UnsafeAddr())), nil
}
