package server

import "time"

// clock is the time since the server was made. Reading it costs some 25 ns, a hundredth of the read that brought the
// message, so no goroutine keeps a coarser copy. It is monotonic: setting the machine's time prunes no session.
type clock struct{ start time.Time }

func startClock() clock { return clock{start: time.Now()} }

func (c clock) now() time.Duration { return time.Since(c.start) }
