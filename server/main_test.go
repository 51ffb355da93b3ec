package server_test

import (
	"testing"

	"go.uber.org/goleak"
)

// No goroutine is left: no socket is, either, for netpoll starts its loops when it is linked.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
