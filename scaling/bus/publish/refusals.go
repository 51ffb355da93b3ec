package publish

import (
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"reverb/scaling/redis"
)

// Refusal says that Redis is reached and does not do what it is asked for: it has no memory left, no replicas, or no rights for this user.
type Refusal struct {
	Code  string    // the first word of Redis' answer: OOM, NOREPLICAS, NOPERM, MISCONF, …
	Text  string    // the whole answer
	Since time.Time // of the first one
}

// The kinds of requests to Redis. A success of one kind says nothing about the others.
const (
	asksToPublish = iota
	asksToStore   // the value that is kept of a publication
	asksToExecute // a command
	askKinds
)

// A refusal counts for refusalHold after it, because one command may be refused and the next one not, and until something of its kind
// succeeds; but not for ever, for it may be that nothing of its kind comes any more.
const (
	refusalHold = 5 * time.Second
	refusalMost = time.Minute
)

// refusals are what Redis has refused of late. All methods may be called from any goroutine.
type refusals struct {
	some atomic.Bool // there are any

	mu sync.Mutex
	// Guarded by mu.
	kinds [askKinds]refused
}

// refused is the last refusal of one kind; the zero one is none.
type refused struct {
	Refusal
	last time.Time
	over bool // something succeeded since
}

// note takes Redis' answer to something of a kind; empty: it was done.
func (r *refusals) note(kind int, text string) {
	if text == "" && !r.some.Load() {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	k := &r.kinds[kind]
	if text == "" {
		k.over = true
		return
	}
	now := time.Now()
	if !k.holds(now) {
		*k = refused{Refusal: Refusal{Since: now}}
	}
	k.Code, k.Text, k.last, k.over = redis.Code(text), text, now, false
	r.some.Store(true)
}

// now is the refusal that has lasted longest, nil when there is none.
func (r *refusals) now() *Refusal {
	if !r.some.Load() {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	var oldest *Refusal
	now := time.Now()
	for i := range r.kinds {
		k := &r.kinds[i]
		if k.holds(now) && (oldest == nil || k.Since.Before(oldest.Since)) {
			found := k.Refusal
			oldest = &found
		}
	}
	r.some.Store(oldest != nil)
	return oldest
}

func (k *refused) holds(now time.Time) bool {
	if k.last.IsZero() {
		return false
	}
	age := now.Sub(k.last)
	return age < refusalHold || !k.over && age < refusalMost
}

// refusalEvery is how often a refusal that lasts is logged.
const refusalEvery = time.Minute

// refusalLog is what the keeper has logged of refusals. It is owned by the keeper.
type refusalLog struct {
	open bool
	at   time.Time
}

// update logs a refusal that begins, lasts or is over; nil: there is none.
func (logged *refusalLog) update(r *Refusal, log *slog.Logger) {
	now := time.Now()
	switch {
	case r == nil && logged.open:
		logged.open = false
		log.Info("redis does again what it is asked for")
	case r != nil && (!logged.open || now.Sub(logged.at) >= refusalEvery):
		logged.open, logged.at = true, now
		log.Warn("redis is reached and refuses what the nodes need", "code", r.Code, "answer", r.Text,
			"since", r.Since.Format(time.RFC3339))
	}
}
