package node

import (
	stdlog "log"
	"log/slog"

	"reverb/poller"
)

// Prepare sets what belongs to the whole process and not to one node: where libraries log to, and the limits of files and
// memory.
func Prepare(log *slog.Logger) {
	slog.SetDefault(log)
	poller.LogTo(stdlog.Writer())
	raiseFileLimit(log)
	limitMemory(log)
}
