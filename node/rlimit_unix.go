//go:build unix

package node

import (
	"log/slog"

	"golang.org/x/sys/unix"
)

// fewFiles is the number of open files from which on the limit is not worth a word: each connection takes one.
const fewFiles = 10_000

// raiseFileLimit lifts the soft limit of open files to the hard one. Go does so at the start of a process, but only
// when it finds the limit lower there, and takes it back for children; a limit that was changed since is caught here.
func raiseFileLimit(log *slog.Logger) {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		log.Warn("cannot read the limit of open files", "err", err)
		return
	}
	if limit.Cur < limit.Max {
		raised := unix.Rlimit{Cur: limit.Max, Max: limit.Max}
		if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &raised); err == nil {
			limit = raised
		}
	}
	if limit.Cur < fewFiles {
		log.Warn("the limit of open files is small, it bounds the number of connections; raise it with ulimit -n or LimitNOFILE",
			"limit", limit.Cur)
	}
}
