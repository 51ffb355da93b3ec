package config

import (
	"testing"
	"time"
)

// at makes a look of a text, last written at a time.
func at(text string, written int) look {
	var l look
	copy(l.text[:], text)
	copy(l.stamp[:], []byte{byte(written), byte(written >> 8)})
	return l
}

// A step of the table is a look at the files; a change that is due is offered, and doubtful says what it turns out to
// be.
func TestSettling(t *testing.T) {
	type moment struct {
		ms       int
		text     string
		written  int
		doubtful bool
		applied  bool
	}
	for _, tc := range []struct {
		name string
		all  []moment
	}{
		{"nothing has changed", []moment{{0, "old", 0, false, false}, {5000, "old", 1, false, false}}},
		{"a whole change", []moment{{0, "new", 1, false, false}, {700, "new", 1, false, false}, {750, "new", 1, false, true}, {5000, "new", 1, false, false}}},
		{"a pause of half a second in a write", []moment{
			{0, "ne", 1, false, false}, {500, "ne", 1, false, false}, {510, "new", 2, false, false}, {1200, "new", 2, false, false}, {1260, "new", 2, false, true},
		}},
		{"the same text is written again", []moment{
			{0, "new", 1, false, false}, {700, "new", 2, false, false}, {1400, "new", 2, false, false}, {1450, "new", 2, false, true},
		}},
		{"a doubtful change waits for two seconds", []moment{
			{0, "ne", 1, true, false}, {800, "ne", 1, true, false}, {1900, "ne", 1, true, false}, {2000, "ne", 1, true, true},
		}},
		{"a doubtful beginning, then the rest", []moment{
			{0, "ne", 1, true, false}, {1900, "ne", 1, true, false}, {1910, "new", 2, false, false}, {2600, "new", 2, false, false}, {2660, "new", 2, false, true},
		}},
		{"back to what it was", []moment{{0, "new", 1, false, false}, {500, "old", 2, false, false}, {5000, "old", 2, false, false}}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var s settling
			s.settled(at("old", 0))
			begin := time.Now()
			for _, m := range tc.all {
				now, seen := begin.Add(time.Duration(m.ms)*time.Millisecond), at(m.text, m.written)
				due, _ := s.step(now, seen)
				applied := due && s.accept(now, m.doubtful)
				if applied {
					s.settled(seen)
				}
				if applied != m.applied {
					t.Errorf("after %d ms %q: applied %v, want %v", m.ms, m.text, applied, m.applied)
				}
			}
		})
	}
}

func TestNarrows(t *testing.T) {
	app := func(id string, change func(*App)) *App {
		a := NewApp(id, "k"+id, "s"+id)
		a.AllowedOrigins, a.MaxConnections = []string{"a.test", "b.test"}, 5
		if change != nil {
			change(a)
		}
		return a
	}
	before := &Config{Apps: Apps{app("1", nil), app("2", nil)}}
	for _, tc := range []struct {
		name string
		next Apps
		want bool
	}{
		{"the same", Apps{app("1", nil), app("2", nil)}, false},
		{"an app less", Apps{app("1", nil)}, true},
		{"another app in the place of one", Apps{app("1", nil), app("3", nil)}, true},
		{"an app more", Apps{app("1", nil), app("2", nil), app("3", nil)}, false},
		{"an app more that lets everybody in", Apps{app("1", nil), app("2", nil), NewApp("3", "k", "s")}, true},
		{"an app is turned off", Apps{app("1", func(a *App) { a.Enabled = false }), app("2", nil)}, true},
		{"an origin more", Apps{app("1", func(a *App) { a.AllowedOrigins = append(a.AllowedOrigins, "c.test") }), app("2", nil)}, true},
		{"all origins", Apps{app("1", func(a *App) { a.AllowedOrigins = []string{"*"} }), app("2", nil)}, true},
		{"an origin less", Apps{app("1", func(a *App) { a.AllowedOrigins = a.AllowedOrigins[:1] }), app("2", nil)}, false},
		{"another secret", Apps{app("1", func(a *App) { a.Secret = "new" }), app("2", nil)}, false},
		{"another number", Apps{app("1", func(a *App) { a.MaxConnections = 6 }), app("2", nil)}, false},
		{"a line less", Apps{app("1", func(a *App) { a.MaxConnections = 0 }), app("2", nil)}, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := before.narrows(&Config{Apps: tc.next}); got != tc.want {
				t.Errorf("got %v, want %v", got, tc.want)
			}
		})
	}
}
