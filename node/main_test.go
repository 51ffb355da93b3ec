package node_test

import (
	"testing"

	"go.uber.org/goleak"
)

// TestMain demands that every stopped node has ended its goroutines, apart from netpoll's own: its pollers serve the
// whole process and stay.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/cloudwego/netpoll.(*defaultPoll).Wait"))
}
