package cluster

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// complaints log trouble that may come with every message: the first of a kind at once, then at most one in complainEvery, which says
// how many came meanwhile. All methods may be called from any goroutine.
type complaints struct {
	log *slog.Logger // constant

	mu sync.Mutex
	// Guarded by mu.
	kinds map[string]complaint // by what is logged: constants of this package
}

// complaint is what is known of one kind.
type complaint struct {
	logged time.Time
	more   int // that were not logged since
}

// complainEvery bounds how often trouble of one kind is logged.
const complainEvery = 10 * time.Second

func newComplaints(log *slog.Logger) *complaints {
	return &complaints{log: log, kinds: make(map[string]complaint)}
}

// add notes trouble. what is a constant.
func (c *complaints) add(level slog.Level, what string, attrs ...slog.Attr) {
	c.mu.Lock()
	now := time.Now()
	k := c.kinds[what]
	if !k.logged.IsZero() && now.Sub(k.logged) < complainEvery {
		k.more++
		c.kinds[what] = k
		c.mu.Unlock()
		return
	}
	c.kinds[what] = complaint{logged: now}
	c.mu.Unlock()
	if k.more > 0 {
		attrs = append(attrs, slog.Int("more", k.more))
	}
	c.log.LogAttrs(context.Background(), level, what, attrs...)
}
