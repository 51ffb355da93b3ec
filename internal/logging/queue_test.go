package logging_test

import (
	"bytes"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"reverb/internal/logging"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// terminal is an output that takes nothing while it is stopped, as one does on which somebody pressed Ctrl-S.
type terminal struct {
	stopped chan struct{} // closed to go on; nil: it was never stopped
	text    bytes.Buffer
}

func (o *terminal) Write(p []byte) (int, error) {
	if o.stopped != nil {
		<-o.stopped
	}
	return o.text.Write(p)
}

func stoppedTerminal() *terminal { return &terminal{stopped: make(chan struct{})} }

func newQueue(o *terminal) *logging.Queue {
	return logging.NewQueue(o, func(lost uint64) []byte { return fmt.Appendf(nil, "%d lost\n", lost) })
}

func TestQueueWritesInOrder(t *testing.T) {
	var out terminal
	q := newQueue(&out)
	line := []byte("line 0\n")
	_, _ = q.Write(line)
	copy(line, "overwritten by the caller")
	q.Add(7, func() []byte { return []byte("line 1\n") })
	_, _ = q.Write([]byte("line 2\n"))
	q.Flush(time.Second, time.Second)
	q.Close()
	if got, want := out.text.String(), "line 0\nline 1\nline 2\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// However much is written, no call waits, the memory is bounded, and what was dropped is told once when the output flows again.
func TestQueueNeverWaits(t *testing.T) {
	for name, size := range map[string]int{"many lines": 10, "large lines": 100_000} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				out := stoppedTerminal()
				q := newQueue(out)
				_, _ = q.Write([]byte("first\n"))
				synctest.Wait() // it is being written
				line := []byte(strings.Repeat("x", size-1) + "\n")
				const lines = 20_000
				for range lines {
					_, _ = q.Write(line)
				}
				lost := q.Dropped()
				if lost == 0 || lost == lines || (lines-int(lost))*size > 4<<20 {
					t.Errorf("%d of %d lines were dropped, %d bytes wait", lost, lines, (lines-int(lost))*size)
				}
				close(out.stopped)
				q.Flush(time.Second, time.Minute)
				_, _ = q.Write([]byte("last\n"))
				q.Flush(time.Second, time.Minute)
				q.Close()
				want := "first\n" + strings.Repeat(string(line), lines-int(lost)) + fmt.Sprintf("%d lost\nlast\n", lost)
				if got := out.text.String(); got != want {
					t.Errorf("%d bytes were written, want %d", len(got), len(want))
				}
			})
		})
	}
}

// A line larger than all bounds is written when it is alone.
func TestQueueTakesOneLargeLine(t *testing.T) {
	var out terminal
	q := newQueue(&out)
	_, _ = q.Write(make([]byte, 10<<20))
	q.Flush(10*time.Second, 10*time.Second)
	q.Close()
	if out.text.Len() != 10<<20 || q.Dropped() != 0 {
		t.Errorf("%d bytes were written, %d lines dropped", out.text.Len(), q.Dropped())
	}
}

func TestFlushGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := stoppedTerminal()
		q := newQueue(out)
		_, _ = q.Write([]byte("never taken\n"))
		begun := time.Now()
		q.Flush(200*time.Millisecond, time.Second)
		q.Close()
		if d := time.Since(begun); d != 200*time.Millisecond {
			t.Errorf("it waited %v", d)
		}
		_, _ = q.Write([]byte("after the end\n"))
		close(out.stopped)
	})
}

func TestQueueFromManyGoroutines(t *testing.T) {
	var out terminal
	q := newQueue(&out)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for i := range 100 {
				_, _ = fmt.Fprintf(q, "line %d\n", i)
			}
		})
	}
	all.Wait()
	q.Flush(10*time.Second, 10*time.Second)
	q.Close()
	if n := strings.Count(out.text.String(), "\n"); n != 800 {
		t.Errorf("%d lines, want 800", n)
	}
}
