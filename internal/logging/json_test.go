package logging_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"reverb/internal/logging"
)

func TestJSON(t *testing.T) {
	var out bytes.Buffer
	log := slog.New(logging.NewJSON(&out, slog.LevelWarn))
	log.Info("not shown")
	hostile := "a\n\x1b[2J\u202egnp.exe\u2066\u0085\u2028é😀"
	log.Warn("told: "+hostile, "err", errors.New(hostile), "after", 1500*time.Millisecond, "addr", &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 80}, "list", []string{hostile})
	if n := strings.Count(out.String(), "\n"); n != 1 {
		t.Fatalf("%d lines: %s", n, &out)
	}
	for _, r := range out.String() {
		if r != '\n' && logging.Hidden(r) {
			t.Errorf("%q is in %s", r, &out)
		}
	}
	var got map[string]any
	if err := json.Unmarshal(out.Bytes(), &got); err != nil {
		t.Fatalf("%v: %s", err, &out)
	}
	if _, err := time.Parse(time.RFC3339Nano, got["time"].(string)); err != nil {
		t.Error(err)
	}
	list, _ := got["list"].([]any)
	if got["level"] != "WARN" || got["msg"] != "told: "+hostile || got["err"] != hostile || got["after"] != "1.5s" || got["addr"] != "192.0.2.1:80" || list[0] != hostile {
		t.Errorf("got %q", got)
	}
}

func TestFrom(t *testing.T) {
	for want, client := range map[string]netip.AddrPort{
		"192.0.2.1:80": netip.MustParseAddrPort("192.0.2.1:80"),
		"2001:db8::1":  netip.AddrPortFrom(netip.MustParseAddr("2001:db8::1"), 0),
		"unknown":      {},
	} {
		if got := logging.From(client); got.Key != "from" || got.Value.String() != want {
			t.Errorf("got %v, want %s", got, want)
		}
	}
}
