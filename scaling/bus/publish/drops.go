package publish

import (
	"log/slog"
	"slices"
	"time"

	"reverb/internal/logging"
)

// Reasons why a publication was dropped, as Options.Dropped gets them.
const (
	DroppedFull    = "relay_full"    // the buffer was full: Publish said ErrFull
	DroppedAge     = "relay_age"     // it waited longer than Options.BufferAge
	DroppedRefused = "relay_refused" // Redis answered with an error
	DroppedClosed  = "relay_closed"  // it still waited when the bus was closed
)

// logEvery is how often at most the same is logged.
const logEvery = 10 * time.Second

// drops counts what is dropped, and logs it now and then.
type drops struct {
	// Constant after construction.
	log    *logging.Throttle
	count  func(reason string, n int)
	labels map[string][]slog.Attr // by reason, so that a publish that is dropped allocates nothing
}

func newDrops(log *slog.Logger, count func(string, int)) *drops {
	d := &drops{log: logging.NewThrottle(log, logEvery), count: count, labels: make(map[string][]slog.Attr)}
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
