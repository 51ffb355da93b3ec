package node

import (
	stdlog "log"
	"log/slog"

	"reverb/poller"
)

// Prepare sets what belongs to the whole process and not to one node: where libraries log to, the limits of files and
// memory, and the pace of the garbage collector. The caller calls done at the end.
func Prepare(log *slog.Logger) (done func()) {
	slog.SetDefault(log)
	poller.LogTo(stdlog.Writer())
	raiseFileLimit(log)
	limitMemory(log)
	ended := make(chan struct{})
	go paceCollector(ended)
	return func() { close(ended) }
}
