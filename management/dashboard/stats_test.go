package dashboard_test

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"reverb/metrics"
	"reverb/transport"
	"reverb/transport/transporttest"
)

type statsAnswer struct {
	Now     int64
	Node    struct{ Name, Version string }
	Ready   bool
	Cluster struct {
		Scaled bool
		Nodes  int
		List   []struct {
			Name, Version string
			Connections   int
			Self          bool
		}
	}
	Columns []string
	Points  [][]*float64
	Apps    []struct {
		ID                string
		Connections, Sent float64
	}
	Refused []struct {
		Kind, App, Reason string
		Total, Recent     float64
	}
}

func (s *statsAnswer) last(t *testing.T, column string) *float64 {
	t.Helper()
	at := slices.Index(s.Columns, column)
	if at < 0 || len(s.Points) == 0 {
		t.Fatalf("no column %s, or no point, in %+v", column, s)
	}
	return s.Points[len(s.Points)-1][1+at]
}

func TestStats(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &browser{node: start(t, false)}
		b.client("key", 1, "news")
		b.client("key", 2, "news")
		var first, second statsAnswer
		synctest.Wait()
		b.get("api/stats", &first)
		time.Sleep(1500 * time.Millisecond)
		for range 10 {
			b.publish("1", "e", "d", "news")
		}
		time.Sleep(time.Second)
		b.get("api/stats?since="+strconv.FormatInt(int64(*first.Points[0][0]), 10), &second)
		if first.Node.Name != "node" || first.Node.Version != "test" || !first.Ready || first.Cluster.Nodes != 1 ||
			len(first.Cluster.List) != 1 || first.Cluster.List[0].Name != "node" || first.Cluster.List[0].Connections != 2 || !first.Cluster.List[0].Self {
			t.Errorf("got %+v", first)
		}
		if len(second.Points) != 2 {
			t.Fatalf("%d points since the first, want 2", len(second.Points))
		}
		if got := second.last(t, "connections"); got == nil || *got != 2 {
			t.Errorf("connections %v, want 2", got)
		}
		if got := second.last(t, "published"); got == nil || *got != 10 {
			t.Errorf("published %v a second, want 10", got)
		}
		if got := second.last(t, "ping95"); got != nil {
			t.Errorf("a ping took %v, but there was none", *got)
		}
		if len(second.Apps) != 2 || second.Apps[0].ID != "1" || second.Apps[0].Connections != 2 {
			t.Errorf("apps %+v", second.Apps)
		}
	})
}

func TestRefusalsByReason(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &browser{node: start(t, false)}
		stats := func() (s statsAnswer) {
			synctest.Wait()
			b.get("api/stats", &s)
			return s
		}
		if got := stats(); got.Refused == nil || len(got.Refused) != 0 {
			t.Errorf("nothing was refused: %+v", got.Refused)
		}
		knock := func(n int, path string, header string) {
			for range n {
				c := new(transporttest.Conn)
				b.server.Open(c, &transport.Request{Path: path, Origin: header})
			}
		}
		time.Sleep(15 * time.Second)
		knock(3, "/app/unknown", "")
		time.Sleep(2 * time.Second)
		got := stats()
		if len(got.Refused) != 1 || got.Refused[0].Kind != "connection" || got.Refused[0].Reason != "unknown_app" ||
			got.Refused[0].Total != 3 || got.Refused[0].Recent != 3 {
			t.Errorf("three unknown keys: %+v", got.Refused)
		}
		for _, app := range got.Apps {
			if app.ID != "1" && app.ID != "2" {
				t.Errorf("%q is among the applications", app.ID)
			}
		}
		_, ss := b.client("key", 1)
		ss.Message([]byte(`{"event":"pusher:subscribe","data":{"channel":"private-a","auth":"key:wrong"}}`), false)
		time.Sleep(80 * time.Second)
		got = stats()
		if len(got.Refused) != 2 || got.Refused[0].Kind != "connection" || got.Refused[0].Recent != 0 || got.Refused[1].Kind != "message" ||
			got.Refused[1].App != "1" || got.Refused[1].Reason != "4009" {
			t.Errorf("after a minute, and with a wrong signature: %+v", got.Refused)
		}
	})
}

func TestHistoryIsBoundedAndRestsWhenNobodyLooks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &browser{node: start(t, false)}
		time.Sleep(100 * time.Second)
		var got statsAnswer
		b.get("api/stats", &got)
		if n := len(got.Points); n < 67 || n > 70 {
			t.Errorf("%d points after 100 seconds in which nobody looked, want 69: one a second of the first minute, then one in five", n)
		}
		time.Sleep(2 * time.Hour)
		got = statsAnswer{}
		b.get("api/stats", &got)
		if n := len(got.Points); n != 900 {
			t.Errorf("%d points are kept, want 900", n)
		}
		if !slices.IsSortedFunc(got.Points, func(a, b []*float64) int { return int(*a[0] - *b[0]) }) {
			t.Error("the points are not in order")
		}
	})
}

// What the page reads is what a scraper reads: every value of a scrape's families, none but those.
func TestSamplesAreTheScrape(t *testing.T) {
	m := metrics.New("test")
	a := m.App("1")
	a.Connected()
	a.Sent(3)
	a.BroadcastSeconds(.001)
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	samples, err := m.Samples()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"reverb_connections", "reverb_messages_sent_total"} {
		found := regexp.MustCompile(name + `\{app="1"\} (\S+)`).FindStringSubmatch(w.Body.String())
		at := slices.IndexFunc(samples, func(s metrics.Sample) bool { return s.Name == name && s.App == "1" })
		if found == nil || at < 0 || strconv.FormatFloat(samples[at].Value, 'g', -1, 64) != found[1] {
			t.Errorf("%s: a scrape says %v, the samples %d of %v", name, found, at, samples)
		}
	}
	at := slices.IndexFunc(samples, func(s metrics.Sample) bool { return s.Name == "reverb_broadcast_seconds" })
	if at < 0 || samples[at].Value != 1 || len(samples[at].Buckets) == 0 {
		t.Error("the histogram is not among the samples")
	}
}
