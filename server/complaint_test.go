package server_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"reverb/channels"
	"reverb/config"
	"reverb/metrics"
	"reverb/scaling"
	"reverb/server"
	"reverb/transport"
	"reverb/transport/transporttest"
)

// loggingNode is a node whose log is kept.
func loggingNode(t *testing.T, cfg *config.Config) (*server.Server, *bytes.Buffer) {
	t.Helper()
	var log bytes.Buffer
	hub, relay := channels.NewHub(channels.Options{}), scaling.NewLocal()
	s := server.New(server.Options{Config: cfg, Hub: hub, Relay: relay, Metrics: metrics.New("dev"), Log: slog.New(slog.NewTextHandler(&log, nil))})
	if err := relay.Start(s.Node()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close(); relay.Close(); hub.Close() })
	return s, &log
}

// The operator learns what was wrong with a connection that was refused, and what to do about it.
func TestRefusedConnectionsAreLogged(t *testing.T) {
	strict := config.NewApp("2", "strict", "s")
	strict.Profile, strict.Rules = config.ProfilePusher, config.ProfileRules(config.ProfilePusher)
	off := config.NewApp("3", "off", "s")
	off.Enabled = false
	origin := config.NewApp("4", "origin", "s")
	origin.AllowedOrigins = []string{"laravel.com", "*.laravel.com"}
	full := config.NewApp("5", "full", "s")
	full.MaxConnections = 1
	s, log := loggingNode(t, configured(strict, off, origin, full))
	client := netip.MustParseAddrPort("203.0.113.9:4711")
	s.Open(new(transporttest.Conn), &transport.Request{Path: "/app/full", RemoteAddr: client})
	for _, tt := range []struct {
		path, query, origin string
		want                []string
	}{
		{"/app/no%20body", "", "", []string{"app=unknown", `key="no body"`, "VITE_REVERB_APP_KEY"}},
		{"/app/origin", "", "https://evil.example:8443", []string{"app=4", "origin=https://evil.example:8443", `allowed_origins="[laravel.com *.laravel.com]"`}},
		{"/app/full", "", "", []string{"app=5", "max_connections=1", "REVERB_APP_MAX_CONNECTIONS"}},
		{"/app/strict", "protocol=4", "", []string{"app=2", "protocol=4"}},
		{"/app/off", "", "", []string{"app=3", "enabled = false"}},
		{"/app/" + strings.Repeat("x", 5000), "", "", nil}, // of the same kind as the first
	} {
		log.Reset()
		s.Open(new(transporttest.Conn), &transport.Request{Path: tt.path, Query: tt.query, Origin: tt.origin, RemoteAddr: client})
		if tt.want == nil && log.Len() > 0 || tt.want != nil && strings.Count(log.String(), "\n") != 1 {
			t.Errorf("%s: %s", tt.path, log)
		}
		for _, want := range tt.want {
			if !strings.Contains(log.String(), want) || !strings.Contains(log.String(), "level=WARN msg=\"connection refused\"") ||
				!strings.Contains(log.String(), "from=203.0.113.9:4711") {
				t.Errorf("%s: no %s in %s", tt.path, want, log)
			}
		}
	}
}

// An attacker neither floods the log nor fills the memory.
func TestRefusedConnectionsAreLoggedOnceAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, log := loggingNode(t, configured(config.NewApp("1", "key", "s")))
		for range 3 {
			for i := range 1000 {
				s.Open(new(transporttest.Conn), &transport.Request{Path: fmt.Sprintf("/app/%d", i) + strings.Repeat("x", 1000)})
			}
			time.Sleep(time.Minute)
		}
		if lines := strings.Count(log.String(), "\n"); lines != 3 || log.Len() > 3*1000 || !strings.Contains(log.String(), "more=999") {
			t.Errorf("%d lines, %d bytes: %.2000s", lines, log.Len(), log)
		}
		s.Close()
	})
}
