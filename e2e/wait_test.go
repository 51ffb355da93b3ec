package e2e_test

import (
	"net/url"
	"testing"
	"time"
)

// waitFor asks again and again until ok; for what follows from a closed connection, which nobody announces.
func waitFor(t *testing.T, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	end := time.After(30 * time.Second)
	for !ok() {
		select {
		case <-tick.C:
		case <-end:
			t.Fatal("still not so after 30 s")
		}
	}
}

func info(names string) url.Values { return url.Values{"info": {names}} }
