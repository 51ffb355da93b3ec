package logging_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"reverb/internal/logging"
)

// plain is a log without the time of its records.
func plain(out *bytes.Buffer) *slog.Logger {
	return slog.New(slog.NewTextHandler(out, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}}))
}

func TestThrottle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		throttle := logging.NewThrottle(plain(&out), time.Minute)
		want := func(lines string) {
			t.Helper()
			if got := out.String(); got != lines {
				t.Errorf("got:\n%s\nwant:\n%s", got, lines)
			}
			out.Reset()
		}
		throttle.Log(slog.LevelWarn, "a", "trouble", slog.Int("n", 1))
		throttle.Log(slog.LevelWarn, "b", "other trouble")
		throttle.Log(slog.LevelWarn, "", "its own key")
		throttle.Log(slog.LevelWarn, "", "another key")
		want("level=WARN msg=trouble n=1\nlevel=WARN msg=\"other trouble\"\nlevel=WARN msg=\"its own key\"\nlevel=WARN msg=\"another key\"\n")
		time.Sleep(59 * time.Second)
		throttle.Log(slog.LevelWarn, "a", "trouble", slog.Int("n", 2))
		throttle.LogN(slog.LevelWarn, "a", "trouble", 3, slog.Int("n", 3))
		want("")
		time.Sleep(time.Second)
		throttle.Log(slog.LevelWarn, "a", "trouble", slog.Int("n", 4))
		want("level=WARN msg=trouble n=4 more=4\n")
		throttle.Log(slog.LevelError, "a", "trouble", slog.Int("n", 5))
		throttle.Flush()
		throttle.Flush()
		want("level=ERROR msg=trouble n=5\n")
	})
}

// Keys that somebody makes up neither fill the memory nor the log.
func TestThrottleIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		throttle := logging.NewThrottle(plain(&out), time.Minute)
		for i := range 100_000 {
			throttle.Log(slog.LevelWarn, fmt.Sprint(i), "trouble")
		}
		if n := strings.Count(out.String(), "\n"); n > 5000 {
			t.Errorf("%d lines", n)
		}
	})
}
