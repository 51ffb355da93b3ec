package node

import (
	"log/slog"
	"os"
	"runtime/debug"

	"github.com/KimMachineGun/automemlimit/memlimit"
)

// gcPercent is GOGC when the environment does not set it. An idle connection has nine objects in less than 700 bytes,
// so that a collection is short; at Go's default of 100 the garbage of the handshakes costs 1,100 resident bytes for
// each of 16,000 connections, at 50 it is 880, at 25 760 (docs/performance.md).
const gcPercent = 50

// limitMemory tells the garbage collector of a container's limit, so that it works harder near it instead of letting
// the kernel end the process. One tenth is left for what the collector does not see. GOGC, GOMEMLIMIT and AUTOMEMLIMIT
// overrule it.
func limitMemory(log *slog.Logger) {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	if _, err := memlimit.Set(memlimit.WithRatio(0.9)); err != nil {
		log.Debug("no memory limit was found", "err", err)
	}
}
