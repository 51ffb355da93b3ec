package measure_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"reverb/bench/measure"
)

func TestCommand(t *testing.T) {
	for line, want := range map[string]string{
		"": "",
		"/usr/bin/php\x00artisan\x00reverb:start\x00--port=1\x00": "php artisan reverb:start",
		"/opt/soketi\x00--app-secret\x00hush\x00":                 "soketi",
		"node /app/server.js start a b c d":                       "node server.js start a",
		"reverb\x00start\x00":                                     "reverb start",
		"./reverb\x00-c\x00x":                                     "reverb",
	} {
		if got := measure.Command([]byte(line)); got != want {
			t.Errorf("%q: got %q, want %q", line, got, want)
		}
	}
}

func TestCPUCores(t *testing.T) {
	from := measure.Usage{At: time.Unix(100, 0), CPU: time.Second}
	to := measure.Usage{At: time.Unix(102, 0), CPU: 4 * time.Second}
	if got := measure.CPUCores(from, to); got != 1.5 {
		t.Errorf("got %v", got)
	}
	if got := measure.CPUCores(to, from); got != 0 {
		t.Errorf("backwards: %v", got)
	}
}

func TestBusyShare(t *testing.T) {
	for _, c := range []struct {
		fromBusy, fromIdle, toBusy, toIdle int64
		want                               float64
	}{{0, 0, 0, 0, 0}, {10, 10, 40, 20, 0.75}, {10, 10, 10, 20, 0}, {10, 20, 5, 10, 0}} {
		if got := measure.BusyShare(c.fromBusy, c.fromIdle, c.toBusy, c.toIdle); got != c.want {
			t.Errorf("%+v: got %v", c, got)
		}
	}
}

func TestWatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reads, lost := int64(0), errors.New("gone for a moment")
		process := measure.FakeProcess(func(exact bool) (measure.Usage, error) {
			reads++
			if exact {
				t.Error("a watch must not disturb the server")
			}
			if reads == 3 {
				return measure.Usage{}, lost
			}
			return measure.Usage{RSS: reads}, nil
		})
		start := time.Now()
		watch := process.Watch(time.Second, func() int64 { return 10 * reads })
		time.Sleep(3*time.Second + time.Millisecond) // of the bubble's clock
		if got := len(watch.Samples()); got != 3 {
			t.Errorf("%d samples after three seconds, want those of 0 s, 1 s and 3 s", got)
		}
		samples, err := watch.Stop()
		if !errors.Is(err, lost) {
			t.Errorf("error is %v", err)
		}
		if len(samples) != 4 {
			t.Fatalf("samples: %+v", samples)
		}
		for i, want := range []struct {
			rss int64
			at  time.Duration
		}{{1, 0}, {2, time.Second}, {4, 3 * time.Second}, {5, 3*time.Second + time.Millisecond}} {
			if s := samples[i]; s.RSS != want.rss || s.At.Sub(start) != want.at || s.Connections != 10*want.rss {
				t.Errorf("sample %d: %+v, want %+v", i, s, want)
			}
		}
	})
}
