package poller

import (
	"testing"
	"time"
)

// A client that has little or no time to show how it reads is believed to read; then it has to be through with what waits in four seconds at
// the rate of the last windows.
func TestPassing(t *testing.T) {
	const mb = 1 << 20
	at := func(d time.Duration) stamp { return stamp(1000 + d/time.Millisecond) }
	type taken struct {
		after time.Duration
		bytes int
	}
	for _, tt := range []struct {
		name string
		took []taken
		when time.Duration
		want bool
	}{
		{"at once", nil, 0, true},
		{"nothing, for a moment", nil, newTime - time.Millisecond, true},
		{"nothing", nil, newTime, false},
		{"nothing, for long", nil, time.Hour, false},
		{"little", []taken{{10 * time.Millisecond, 1 << 10}}, newTime, false},
		{"enough", []taken{{10 * time.Millisecond, mb}}, 100 * time.Millisecond, true},
		{"too little", []taken{{10 * time.Millisecond, mb}}, 600 * time.Millisecond, false},
		{"enough in the window before", []taken{{10 * time.Millisecond, mb}, {rateWindow, 1}}, rateWindow, true},
		{"not for long", []taken{{10 * time.Millisecond, mb}, {rateWindow, 1}}, rateWindow + time.Second, false},
		{"little after a rest", []taken{{time.Minute, 1 << 10}}, time.Minute, false},
	} {
		o := outbox{bytes: 8 * mb, rate: rate{since: at(0)}}
		for _, tk := range tt.took {
			o.rate.add(tk.bytes, at(tk.after))
		}
		if got := o.passing(at(tt.when)); got != tt.want {
			t.Errorf("%s: passing %v, want %v", tt.name, got, tt.want)
		}
	}
}
