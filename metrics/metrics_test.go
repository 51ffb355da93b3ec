package metrics_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"reverb/metrics"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// scrape is the text of one scrape.
func scrape(t *testing.T, m *metrics.Metrics) string {
	t.Helper()
	rec := httptest.NewRecorder()
	m.Handler().ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	body, err := io.ReadAll(rec.Result().Body)
	if err != nil || rec.Code != http.StatusOK {
		t.Fatalf("scrape: status %d, err %v, body %s", rec.Code, err, body)
	}
	return string(body)
}

func wantLines(t *testing.T, got string, lines ...string) {
	t.Helper()
	for _, line := range lines {
		if !strings.Contains(got, line+"\n") {
			t.Errorf("scrape lacks the line %q", line)
		}
	}
	if t.Failed() {
		t.Log(got)
	}
}

// exercise makes every family appear.
func exercise(m *metrics.Metrics) {
	a := m.App("1")
	a.Connected()
	a.Connected()
	a.Disconnected("client_close")
	a.Received()
	a.Invalid(4009)
	a.Invalid(4009)
	a.Invalid(4242)
	a.Sent(3)
	a.Sent(0)
	a.Published(metrics.SourceAPI)
	a.Published(metrics.SourceClient)
	a.Uncached(metrics.SourceClient)
	a.BroadcastSeconds(0.0002)
	a.PingSeconds(0.04)
	r := m.Relay()
	r.Published(3)
	r.Received(2)
	r.Duplicates(1)
	r.Lost(4)
	r.Lost(0)
	r.Disconnected()
	m.Relay().Dropped("full", 5)
	r.Ignored("unreadable")
	r.Queried(false)
	p := m.Pulse()
	p.Wrote(7)
	p.Lost(2)
	p.Waiting(3)
	p.Up(false)
	r.Queried(true)
	r.Queried(true)
	m.Refused("1", "quota")
	m.Refused("zzz", "unknown_app")
	m.Request("1", metrics.RouteEvents, 200)
	m.Request("1", metrics.RouteEvents, 200)
	m.Request(metrics.Unknown, metrics.RouteChannelUsers, 404)
	m.Request("", metrics.RouteOther, 418)
	m.Dropped("slow_consumer", 5)
	m.Dropped("slow_consumer", 0)
	m.AcceptFailed("control")
	value := func(v float64) func() float64 { return func() float64 { return v } }
	m.SetGauges(metrics.Gauges{
		Channels: value(7), Subscriptions: value(8), Sockets: value(9), OutboxBytes: value(10),
		Draining: value(1), DrainLeft: value(5),
		ConfigLoaded: value(17), ConfigRefused: value(1),
		BytesIn: value(11), BytesOut: value(12), FramesIn: value(13), LogDropped: value(15),
		RelayUp: value(1), RelayNodes: value(3), RelayWaitingBytes: value(14),
		PollerRefused: func() map[string]uint64 { return map[string]uint64{"emfile": 2} },
		PollerClosed:  func() map[string]uint64 { return map[string]uint64{"hangup": 4} },
	})
}

func TestScrape(t *testing.T) {
	m := metrics.New("1.2.3")
	exercise(m)
	got := scrape(t, m)
	wantLines(t, got,
		`reverb_connections{app="1"} 1`,
		`reverb_config_loaded_timestamp_seconds 17`,
		`reverb_config_reload_refused 1`,
		`reverb_accept_failures_total{listener="control"} 1`,
		`reverb_relay_up 1`,
		`reverb_relay_nodes 3`,
		`reverb_relay_waiting_bytes 14`,
		`reverb_relay_published_total 3`,
		`reverb_relay_received_total 2`,
		`reverb_relay_duplicates_total 1`,
		`reverb_relay_lost_total 4`,
		`reverb_relay_disconnects_total 1`,
		`reverb_relay_dropped_total{reason="full"} 5`,
		`reverb_relay_ignored_total{reason="unreadable"} 1`,
		`reverb_relay_queries_total{result="partial"} 2`,
		`reverb_relay_queries_total{result="whole"} 1`,
		`reverb_connections_opened_total{app="1"} 2`,
		`reverb_connections_closed_total{app="1",reason="client_close"} 1`,
		`reverb_connections_refused_total{app="1",reason="quota"} 1`,
		`reverb_connections_refused_total{app="unknown",reason="unknown_app"} 1`,
		`reverb_messages_received_total{app="1"} 1`,
		`reverb_messages_invalid_total{app="1",code="4009"} 2`,
		`reverb_messages_invalid_total{app="1",code="other"} 1`,
		`reverb_messages_sent_total{app="1"} 3`,
		`reverb_messages_published_total{app="1",source="api"} 1`,
		`reverb_messages_published_total{app="1",source="client"} 1`,
		`reverb_http_requests_total{app="1",route="/apps/{id}/events",status="200"} 2`,
		`reverb_http_requests_total{app="unknown",route="/apps/{id}/channels/{channel}/users",status="404"} 1`,
		`reverb_http_requests_total{app="",route="other",status="other"} 1`,
		`reverb_messages_dropped_total{reason="slow_consumer"} 5`,
		`reverb_broadcast_seconds_count{app="1"} 1`,
		`reverb_broadcast_seconds_bucket{app="1",le="0.00025"} 1`,
		`reverb_broadcast_seconds_bucket{app="1",le="0.0001"} 0`,
		`reverb_ping_round_trip_seconds_count{app="1"} 1`,
		`reverb_channels 7`, `reverb_subscriptions 8`, `reverb_sockets 9`, `reverb_outbox_bytes 10`,
		`reverb_received_bytes_total 11`, `reverb_sent_bytes_total 12`, `reverb_received_frames_total 13`, `reverb_log_lines_dropped_total 15`,
		`reverb_sockets_refused_total{reason="emfile"} 2`,
		`reverb_sockets_closed_total{reason="hangup"} 4`,
	)
	for _, name := range []string{"go_goroutines ", "go_memstats_", "process_open_fds ", "reverb_build_info{"} {
		if !strings.Contains(got, "\n"+name) {
			t.Errorf("scrape lacks %s", name)
		}
	}
	if !strings.Contains(got, `version="1.2.3"} 1`) {
		t.Errorf("reverb_build_info does not tell the version")
	}
}

func TestGaugesMayBeAbsentAndReplaced(t *testing.T) {
	m := metrics.New("dev")
	if got := scrape(t, m); strings.Contains(got, "reverb_channels") {
		t.Errorf("a gauge that nobody set is told:\n%s", got)
	}
	m.SetGauges(metrics.Gauges{Channels: func() float64 { return 1 }})
	m.SetGauges(metrics.Gauges{Channels: func() float64 { return 2 }})
	got := scrape(t, m)
	wantLines(t, got, "reverb_channels 2")
	if strings.Contains(got, "reverb_sockets") {
		t.Error("a gauge that nobody set is told")
	}
}

func TestUnknownAppsShareOneLabel(t *testing.T) {
	m := metrics.New("dev")
	for i := range 1000 {
		m.Refused(fmt.Sprintf("app-%d", i), "unknown_app")
	}
	got := scrape(t, m)
	wantLines(t, got, `reverb_connections_refused_total{app="unknown",reason="unknown_app"} 1000`)
	if n := strings.Count(got, "reverb_connections_refused_total{"); n != 1 {
		t.Errorf("got %d series for unknown apps, want 1", n)
	}
}

func TestTwoNodesInOneProcess(t *testing.T) {
	a, b := metrics.New("dev"), metrics.New("dev")
	a.App("1").Received()
	if got := scrape(t, b); strings.Contains(got, "reverb_messages_received_total{") {
		t.Error("one node's counters are seen in the other's")
	}
	if first, again := a.App("1"), a.App("1"); first != again {
		t.Error("App made a second set of counters")
	}
}

func TestConcurrentUse(t *testing.T) {
	m := metrics.New("dev")
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 50 {
				exercise(m)
			}
		})
	}
	for range 10 {
		scrape(t, m)
	}
	wg.Wait()
	wantLines(t, scrape(t, m), `reverb_messages_sent_total{app="1"} 600`)
}

func TestCountingAllocatesNothing(t *testing.T) {
	a := metrics.New("dev").App("1")
	n := testing.AllocsPerRun(1000, func() {
		a.Received()
		a.Sent(2)
		a.Invalid(4200)
		a.Published(metrics.SourceAPI)
		a.BroadcastSeconds(0.001)
		a.PingSeconds(0.05)
	})
	if n != 0 {
		t.Errorf("got %v allocations for each message, want 0", n)
	}
}

func BenchmarkReceived(b *testing.B) {
	a := metrics.New("dev").App("1")
	for b.Loop() {
		a.Received()
	}
}
