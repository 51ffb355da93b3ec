package metrics_test

import (
	"testing"

	"reverb/metrics"
)

// A message that was answered with an error is not received, as Pulse has it; the answer is sent.
func TestAppCounts(t *testing.T) {
	m := metrics.New("dev")
	for range 5 {
		m.App("1").Received()
	}
	m.App("1").Invalid(4301)
	m.App("1").Invalid(4242)
	m.App("1").Sent(1 << 40)
	m.App("1").Sent(1)
	want := metrics.Counts{App: "1", Sent: 1<<40 + 1, Received: 3}
	if got := m.AppCounts(); len(got) != 1 || got[0] != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}
