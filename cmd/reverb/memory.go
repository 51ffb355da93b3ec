package main

import (
	"log/slog"

	"github.com/KimMachineGun/automemlimit/memlimit"
)

// limitMemory tells the garbage collector of a container's limit, so that it works harder near it instead of letting the kernel end
// the process. One tenth is left for what the collector does not see. GOMEMLIMIT and AUTOMEMLIMIT overrule it.
//
// GOGC stays at its default of 100: an idle connection has so few objects that collections are short, and a higher value buys memory
// for time that nobody misses.
func limitMemory(log *slog.Logger) {
	if _, err := memlimit.Set(memlimit.WithRatio(0.9)); err != nil {
		log.Debug("no memory limit was found", "err", err)
	}
}
