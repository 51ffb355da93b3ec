package config

import (
	"crypto/sha256"
	"slices"
	"time"
)

const (
	// watchQuiet is how long the files must be as they are before a change is
	// applied: an editor or a deployment does several things to a file, and to
	// several files.
	watchQuiet = 750 * time.Millisecond

	// watchPatience is the same for a change that takes something away, or lets
	// more in: the beginning of a file that is still being written is often a
	// whole configuration, with fewer apps or without the last lines of one.
	watchPatience = 2 * time.Second
)

// look is what is in the files at one moment.
type look struct {
	text  [sha256.Size]byte // a fingerprint of the texts, or of why they cannot be read
	stamp [sha256.Size]byte // that, with the times and sizes of the files
	cut   bool              // a text has no line break at its end
}

// settling decides when a change of the files is whole. Its zero value knows of
// no files; settled says what is in force.
type settling struct {
	inForce look // only its text counts
	seen    look
	since   time.Time // when seen was seen first
	asked   bool      // the change needs watchPatience
}

// step is told what is in the files at the time now. due means that the change
// may be whole; changing, that the files must be looked at again soon.
func (s *settling) step(now time.Time, seen look) (due, changing bool) {
	if seen.text == s.inForce.text {
		s.seen, s.asked = seen, false
		return false, false
	}
	if seen != s.seen {
		s.seen, s.since, s.asked = seen, now, false
		return false, true
	}
	need := watchQuiet
	if s.asked {
		need = watchPatience
	}
	return now.Sub(s.since) >= need, true
}

// accept reports whether a change that is due can be applied: one that may be
// the beginning of another has to wait.
func (s *settling) accept(now time.Time, doubtful bool) bool {
	if doubtful && now.Sub(s.since) < watchPatience {
		s.asked = true
		return false
	}
	return true
}

// settled makes what is in the files the one in force.
func (s *settling) settled(now look) { *s = settling{inForce: now, seen: now} }

// narrows reports whether next takes an app or a line of one away, or lets more
// origins in: what also happens to the beginning of a file.
func (c *Config) narrows(next *Config) bool {
	for _, old := range c.Apps {
		if app := next.Apps.ByID(old.ID); app == nil || old.Enabled && !app.Enabled || wider(old.AllowedOrigins, app.AllowedOrigins) || loses(old, app) {
			return true
		}
	}
	for _, app := range next.Apps {
		if c.Apps.ByID(app.ID) == nil && slices.Contains(app.AllowedOrigins, "*") {
			return true // the line that bounds them may be on its way
		}
	}
	return false
}

// wider reports whether to lets an origin in that from does not.
func wider(from, to []string) bool {
	return !slices.Contains(from, "*") && slices.ContainsFunc(to, func(pattern string) bool { return !slices.Contains(from, pattern) })
}

// loses reports whether a key has fallen back to its default.
func loses(from, to *App) bool {
	fallback := NewApp("", "", "")
	return slices.ContainsFunc(appKeys, func(k key[App]) bool {
		is := k.at(to).String()
		return is != k.at(from).String() && is == k.at(fallback).String()
	})
}
