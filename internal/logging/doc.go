// Package logging is how a running server writes its lines: through a Queue, so that no line ever waits for the terminal, the pipe or the
// disk behind it. Beside it stand things that all packages that log share: the JSON form of a record, and a Throttle for trouble that repeats itself.
//
// A write to a pipe that nobody reads, or to a terminal on which somebody pressed Ctrl-S, blocks its thread for as long as that lasts.
// Making the descriptor non-blocking is no way out: the terminal's open file is shared with the shell and with other programs. So one
// goroutine writes, and it alone may be stuck; a line that finds the queue full is dropped and counted, and the count is told once when the output flows again.
package logging
