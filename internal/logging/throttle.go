package logging

import (
	"cmp"
	"context"
	"log/slog"
	"sync"
	"time"
)

// maxKinds bounds what a Throttle remembers. Keys come from closed lists and from the ids of configured apps; a caller that makes them of
// anything else has them share one place beyond this.
const maxKinds = 4096

// Throttle logs trouble that may come with every message or request: the first of a kind at once, then at most one in an interval, which
// says how many came meanwhile. All methods may be called from any goroutine.
type Throttle struct {
	// Constant after NewThrottle.
	log   *slog.Logger
	every time.Duration

	// Guarded by mu.
	mu    sync.Mutex
	kinds map[string]kind
}

// kind is what is known of one kind of trouble.
type kind struct {
	logged time.Time
	more   int // since then
	last   held
}

// held is the latest that was not logged.
type held struct {
	level slog.Level
	msg   string
	attrs []slog.Attr
}

// NewThrottle logs each kind at most once in every.
func NewThrottle(log *slog.Logger, every time.Duration) *Throttle {
	return &Throttle{log: log, every: every, kinds: make(map[string]kind)}
}

// Log notes trouble of a kind. The key is a constant, perhaps with an app's id; when it is empty msg is the key. msg and attrs are those of
// the record.
func (t *Throttle) Log(level slog.Level, key, msg string, attrs ...slog.Attr) {
	t.LogN(level, key, msg, 1, attrs...)
}

// LogN is Log for n times the same.
func (t *Throttle) LogN(level slog.Level, key, msg string, n int, attrs ...slog.Attr) {
	key = cmp.Or(key, msg)
	t.mu.Lock()
	now := time.Now()
	if _, ok := t.kinds[key]; !ok && len(t.kinds) >= maxKinds {
		key = ""
	}
	k := t.kinds[key]
	if !k.logged.IsZero() && now.Sub(k.logged) < t.every {
		k.more += n
		k.last = held{level, msg, attrs}
		t.kinds[key] = k
		t.mu.Unlock()
		return
	}
	t.kinds[key] = kind{logged: now}
	t.mu.Unlock()
	t.write(held{level, msg, attrs}, k.more+n-1)
}

// Flush logs what has not been: the latest of each kind, with the number of all.
func (t *Throttle) Flush() {
	t.mu.Lock()
	var waiting []kind
	for key, k := range t.kinds {
		if k.more > 0 {
			waiting = append(waiting, k)
			t.kinds[key] = kind{logged: k.logged}
		}
	}
	t.mu.Unlock()
	for _, k := range waiting {
		t.write(k.last, k.more-1)
	}
}

// write logs one of a kind, and how many more there were.
func (t *Throttle) write(h held, more int) {
	attrs := h.attrs[:len(h.attrs):len(h.attrs)]
	if more > 0 {
		attrs = append(attrs, slog.Int("more", more))
	}
	t.log.LogAttrs(context.Background(), h.level, h.msg, attrs...)
}
