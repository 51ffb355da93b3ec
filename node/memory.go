package node

import (
	"log/slog"

	"github.com/KimMachineGun/automemlimit/memlimit"
)

// limitMemory tells the garbage collector of a container's limit, so that it works harder near it instead of letting
// the kernel end the process. One tenth is left for what the collector does not see. GOMEMLIMIT and AUTOMEMLIMIT
// overrule it.
func limitMemory(log *slog.Logger) {
	if _, err := memlimit.Set(memlimit.WithRatio(0.9)); err != nil {
		log.Debug("no memory limit was found", "err", err)
	}
}
