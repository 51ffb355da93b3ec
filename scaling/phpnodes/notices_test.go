package phpnodes_test

import (
	"bytes"
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	counting "reverb/metrics"
	"reverb/scaling/phpnodes"
)

// However much cannot be read, it is counted, and logged once in ten seconds with how much it was.
func TestNotices(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		all := counting.New("")
		r, err := phpnodes.New(phpnodes.Options{
			Metrics: all.Relay(),
			Log:     slog.New(slog.NewTextHandler(&log, nil)),
		}, newAlone())
		if err != nil {
			t.Fatal(err)
		}
		lines := func() []string { return strings.Split(strings.TrimSpace(log.String()), "\n") }
		h := new(node)
		for range 100 {
			r.Handle(h, []byte("nonsense"))
		}
		if got := lines(); len(got) != 1 || !strings.Contains(got[0], "reason=unreadable") {
			t.Errorf("at first: %q", got)
		}
		time.Sleep(11 * time.Second)
		r.Handle(h, []byte(`{"type":"later"}`))
		r.Handle(h, []byte("nonsense"))
		if got := lines(); len(got) != 3 || !strings.Contains(got[1], "reason=unknown_type") || !strings.Contains(got[2], "reason=unreadable") || !strings.Contains(got[2], "more=99") {
			t.Errorf("after an interval: %q", got)
		}

		scrape := httptest.NewRecorder()
		all.Handler().ServeHTTP(scrape, httptest.NewRequest("GET", "/metrics", nil))
		for _, want := range []string{
			`reverb_relay_ignored_total{reason="unreadable"} 101`, `reverb_relay_ignored_total{reason="unknown_type"} 1`,
		} {
			if !strings.Contains(scrape.Body.String(), want) {
				t.Errorf("no %s", want)
			}
		}
	})
}
