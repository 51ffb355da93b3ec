package poller

import (
	"testing"

	"github.com/cloudwego/netpoll"
)

func TestTakePolls(t *testing.T) {
	three, err := takePolls(3)
	if err != nil || len(three) != 3 {
		t.Fatalf("got %d polls, %v, want 3", len(three), err)
	}
	seen := make(map[netpoll.Poll]bool)
	for _, p := range three {
		seen[p] = true
	}
	if len(seen) != 3 {
		t.Errorf("%d different polls, want 3", len(seen))
	}
	if two, err := takePolls(2); err != nil || len(two) != 2 {
		t.Errorf("got %d polls, %v, want 2", len(two), err)
	}
}

// Another netpoll has to be noticed, not read as if it were ours.
func TestPollOfChecksTypes(t *testing.T) {
	for name, c := range map[string]any{
		"no operator":    &struct{ fd int }{},
		"other operator": &struct{ operator *int }{new(int)},
		"nil operator":   &struct{ operator *netpoll.FDOperator }{},
		"nil poll":       &struct{ operator *netpoll.FDOperator }{new(netpoll.FDOperator)},
	} {
		if p, err := pollOf(c); err == nil {
			t.Errorf("%s: got %v, want an error", name, p)
		}
	}
}
