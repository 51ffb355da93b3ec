package server_test

import (
	"testing"

	"go.uber.org/goleak"
)

// netpoll starts its pollers when it is linked; they are there before the first test.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m, goleak.IgnoreCurrent()) }
