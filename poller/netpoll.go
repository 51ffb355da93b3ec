package poller

import (
	"errors"
	"fmt"
	"reflect"
	"unsafe"

	"github.com/cloudwego/netpoll"
	"golang.org/x/sys/unix"
)

// takePolls returns n of netpoll's running Polls. netpoll exports the types Poll and FDOperator, but no way to reach a
// running Poll, and its own Connection costs twenty times the memory of ours. So the Polls are read out of the operators
// of throw-away connections. Polls belong to the process: they are added to when n asks for more, never taken away, and
// run until it ends.
func takePolls(n int) ([]netpoll.Poll, error) {
	polls, err := runningPolls()
	if err != nil || len(polls) >= n {
		return polls[:min(n, len(polls))], err
	}
	if err := netpoll.Configure(netpoll.Config{PollerNum: n}); err != nil {
		return nil, fmt.Errorf("configure netpoll: %w", err)
	}
	if polls, err = runningPolls(); err == nil && len(polls) != n {
		err = fmt.Errorf("netpoll runs %d polls instead of %d", len(polls), n)
	}
	return polls, err
}

// runningPolls lists the Polls in the order netpoll hands them out, which is round robin.
func runningPolls() ([]netpoll.Poll, error) {
	var polls []netpoll.Poll
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
	defer unix.Close(fds[1])
	c, err := netpoll.NewFDConnection(fds[0])
	if err != nil {
		return nil, fmt.Errorf("open netpoll connection: %w", err)
	}
	defer c.Close()
	return pollOf(c)
}

// pollOf reads c.operator.poll. The types are checked, so another netpoll is an error at start and not a crash.
func pollOf(c netpoll.Connection) (netpoll.Poll, error) {
	v := reflect.ValueOf(c)
	if v.Kind() != reflect.Pointer || v.Elem().Kind() != reflect.Struct {
		return nil, errors.New("netpoll's connection is no longer a struct")
	}
	op := v.Elem().FieldByName("operator")
	if !op.IsValid() || op.Type() != reflect.TypeFor[*netpoll.FDOperator]() || op.IsNil() {
		return nil, errors.New("netpoll's connection has no operator")
	}
	poll := op.Elem().FieldByName("poll")
	if !poll.IsValid() || poll.Type() != reflect.TypeFor[netpoll.Poll]() || poll.IsNil() {
		return nil, errors.New("netpoll's operator has no poll")
	}
	return *(*netpoll.Poll)(unsafe.Pointer(poll.UnsafeAddr())), nil
}
