package bus

import (
	"log/slog"
	"slices"
	"time"

	"reverb/internal/logging"
	"reverb/scaling/redis"
)

// noteEvery is how often at most the same trouble is logged.
const noteEvery = 10 * time.Second

// drops counts what is dropped, and keeps trouble that repeats itself out of the log.
type drops struct {
	// Constant after construction.
	log    *logging.Throttle
	count  func(reason string, n int)
	labels map[string][]slog.Attr // by reason, so that a publish that is dropped allocates nothing
}

func newDrops(log *slog.Logger, count func(string, int)) *drops {
	d := &drops{log: logging.NewThrottle(log, noteEvery), count: count, labels: make(map[string][]slog.Attr)}
	for _, reason := range []string{DroppedFull, DroppedAge, DroppedRefused, DroppedClosed} {
		d.labels[reason] = []slog.Attr{slog.String("reason", reason)}
	}
	return d
}

// add counts n publications; err, which may be nil, is what Redis said.
func (d *drops) add(reason string, n int, err error) {
	if n <= 0 {
		return
	}
	d.count(reason, n)
	attrs := d.labels[reason]
	if err != nil {
		attrs = append(slices.Clip(attrs), slog.Any("error", err))
	}
	d.log.LogN(slog.LevelWarn, reason, "publications dropped", n, attrs...)
}

// note logs trouble.
func (d *drops) note(what string, err error) {
	d.log.Log(slog.LevelWarn, "", "redis: "+what, slog.Any("error", err))
}

// unreachable logs that a server cannot be connected to, with one throttle for each.
func (d *drops) unreachable(addr string, err error) {
	d.log.Log(slog.LevelWarn, "connect "+addr, redis.Unreached(addr, err))
}

// flush logs what was not logged yet.
func (d *drops) flush() { d.log.Flush() }
