package laravel

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// noticeInterval is how often at most something that keeps going wrong is logged.
const noticeInterval = 10 * time.Second

// notices log what goes wrong with messages: the first at once, then what has come together in an interval.
type notices struct {
	log *slog.Logger // constant

	mu sync.Mutex
	// Guarded by mu.
	counts map[string]int // not yet logged, by what went wrong
	cause  error          // of the latest
	logged time.Time
}

// add notes n messages. what is a constant.
func (s *notices) add(what string, n int, cause error) {
	s.mu.Lock()
	if s.counts == nil {
		s.counts = make(map[string]int)
	}
	s.counts[what] += n
	s.cause = cause
	now := time.Now()
	if now.Sub(s.logged) < noticeInterval {
		s.mu.Unlock()
		return
	}
	s.logged = now
	counts := s.takeLocked()
	s.mu.Unlock()
	s.write(counts, cause)
}

// flush logs what has not been logged.
func (s *notices) flush() {
	s.mu.Lock()
	counts, cause := s.takeLocked(), s.cause
	s.mu.Unlock()
	if len(counts) > 0 {
		s.write(counts, cause)
	}
}

func (s *notices) takeLocked() map[string]int {
	counts := s.counts
	s.counts = nil
	return counts
}

func (s *notices) write(counts map[string]int, cause error) {
	attrs := make([]slog.Attr, 0, len(counts)+1)
	for what, n := range counts {
		attrs = append(attrs, slog.Int(what, n))
	}
	if cause != nil {
		attrs = append(attrs, slog.Any("err", cause))
	}
	s.log.LogAttrs(context.Background(), slog.LevelWarn, "messages of the cluster not passed on", attrs...)
}
