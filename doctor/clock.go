package doctor

import (
	"fmt"
	"strings"
	"time"
)

// someSkew is the difference of clocks from which on they are not kept by NTP.
const someSkew = 5 * time.Second

// checkDate compares our clock with the Date header of an answer that came between two of our times. The header has
// whole seconds.
func (e *examination) checkDate(theirs, before, after time.Time) {
	var skew time.Duration
	switch {
	case theirs.Add(time.Second).Before(before):
		skew = theirs.Add(time.Second).Sub(before)
	case theirs.After(after):
		skew = theirs.Sub(after)
	}
	e.judgeClock("clock.public", "Clock of "+e.public.host, skew)
}

// judgeClock tells how far another clock is ahead of ours.
func (e *examination) judgeClock(check, title string, skew time.Duration) {
	const fix = "timedatectl set-ntp true # on both machines"
	what := fmt.Sprintf("it differs by %s from that of this machine", skew.Abs().Round(time.Second))
	tolerance := e.cfg.Server.AuthTimestampTolerance
	switch {
	case tolerance > 0 && skew.Abs() > tolerance && check == "clock.public":
		e.fail(check, title, what, fmt.Sprintf("publishing is refused with 401: auth_timestamp may differ by %s", tolerance), fix, "config.toml: auth_timestamp_tolerance, for the time until then")
	case skew.Abs() > someSkew:
		e.warn(check, title, what, "beyond auth_timestamp_tolerance publishing is refused with 401, and log lines of two machines cannot be compared", fix)
	default:
		e.add(Finding{Check: check, Title: title, Status: OK, What: "it agrees with that of this machine", Measures: map[string]float64{"skew_ms": milliseconds(skew)}})
	}
}

func containsFold(s, part string) bool {
	return strings.Contains(strings.ToLower(s), strings.ToLower(part))
}
