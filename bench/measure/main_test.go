package measure_test

import (
	"io"
	"os"
	"testing"

	"go.uber.org/goleak"
)

// asChild makes the test program a process that waits until its input ends, for tests that need one.
const asChild = "MEASURE_TEST_CHILD"

func TestMain(m *testing.M) {
	if os.Getenv(asChild) != "" {
		_, _ = os.Stdout.WriteString("ready")
		_, _ = io.Copy(io.Discard, os.Stdin)
		return
	}
	goleak.VerifyTestMain(m)
}
