package node

import (
	"context"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"reverb/config"
	"reverb/management"
)

// reloader applies what changed in the configuration's files to the running server. Its methods may be called from any
// goroutine.
type reloader struct {
	// Constant after construction.
	apply func(config.Apps)
	log   *slog.Logger

	mu sync.Mutex // held for a whole reload
	// Guarded by mu.
	inForce *config.Config

	// Atomic.
	loaded  atomic.Int64 // when inForce was read, seconds since 1970
	refused atomic.Int64 // 1 when the last reload was
}

func newReloader(cfg *config.Config, apply func(config.Apps), log *slog.Logger) *reloader {
	r := &reloader{apply: apply, log: log, inForce: cfg}
	r.loaded.Store(time.Now().Unix())
	return r
}

// reload reads the files again. What it finds is applied as a whole, or, when anything in it is wrong, not at all. The
// log has the same lines as the answer, and who asked.
func (r *reloader) reload(who string) (config.Changes, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	next, err := r.inForce.Reload()
	return r.takeLocked(next, err, who)
}

// take is reload with what was loaded already.
func (r *reloader) take(next *config.Config, err error, who string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	_, _ = r.takeLocked(next, err, who) // the log has what went wrong
}

func (r *reloader) takeLocked(next *config.Config, err error, who string) (config.Changes, error) {
	if err != nil {
		r.refused.Store(1)
		for _, line := range violations(err) {
			r.log.Error("the configuration cannot be used; the old one stays in force", "asked_by", who, "err", line)
		}
		return config.Changes{}, err
	}
	changes := r.inForce.Changes(next)
	r.inForce = r.inForce.Adopt(next)
	r.apply(r.inForce.Apps)
	r.loaded.Store(time.Now().Unix())
	r.refused.Store(0)
	r.log.Info("configuration reloaded", "asked_by", who, "apps", len(r.inForce.Apps), "apps_changed", len(changes.Apps))
	for _, app := range changes.Apps {
		if app.Kind != config.AppChanged {
			r.log.Info("app "+app.Kind, "app", app.ID)
		}
		for _, key := range app.Keys {
			r.log.Info("app "+app.Kind, "app", app.ID, "change", brief(key.String()))
		}
	}
	for _, key := range changes.Restart {
		r.log.Warn("a changed value needs a restart; until then the old one is in force", "change", brief(key.String()))
	}
	return changes, nil
}

// Bounds of what is told: of one change or violation, in bytes, because a list may have any number of entries; and of
// violations, because somebody may have written anything into the file.
const (
	maxBrief      = 1000
	maxViolations = 50
)

// violations are the lines of what is wrong with a configuration.
func violations(err error) []string {
	lines := strings.Split(err.Error(), "\n")
	more := len(lines) - maxViolations
	if more > 0 {
		lines = append(lines[:maxViolations], "and "+strconv.Itoa(more)+" more")
	}
	for i := range lines {
		lines[i] = brief(lines[i])
	}
	return lines
}

func brief(text string) string {
	if len(text) <= maxBrief {
		return text
	}
	cut := maxBrief
	for !utf8.RuneStart(text[cut]) {
		cut--
	}
	return text[:cut] + "…"
}

// answer tells an operator how the reload went. accepted names the server.
func (r *reloader) answer(caller *management.Caller, accepted management.Event) {
	defer caller.End()
	changes, err := r.reload("reverb reload")
	caller.Tell(accepted)
	if err != nil {
		for _, line := range violations(err) {
			caller.Tell(management.Event{Kind: management.Failed, Text: brief(line)})
		}
		return
	}
	for _, app := range changes.Apps {
		caller.Tell(management.Event{Kind: management.AppChanged, App: app.ID, Text: app.Kind})
		for _, key := range app.Keys {
			caller.Tell(management.Event{Kind: management.AppChanged, App: app.ID, Text: brief(key.String())})
		}
	}
	for _, key := range changes.Restart {
		caller.Tell(management.Event{Kind: management.NeedsRestart, Text: brief(key.String())})
	}
	caller.Tell(management.Event{Kind: management.Reloaded})
}

// current is the configuration in force.
func (r *reloader) current() *config.Config {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.inForce
}

// watch reloads when the files have changed, until ctx ends.
func (r *reloader) watch(ctx context.Context) {
	cfg := r.current()
	r.log.Info("changes of the configuration's files are applied when they are whole", "files", strings.Join(cfg.Files(), " "))
	err := cfg.Watch(ctx, r.current, func(next *config.Config, err error) { r.take(next, err, "change of a file") })
	if err != nil && ctx.Err() == nil {
		r.log.Warn("changes of the configuration will not be noticed; `reverb reload` applies them", "err", err)
	}
}
