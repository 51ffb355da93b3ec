package node

import (
	"os"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// gcPercent is GOGC when the environment does not set it. An idle connection has nine objects in less than 700 bytes,
// so that a collection is short; at Go's default of 100 the garbage of the handshakes costs 1,100 resident bytes for
// each of 16,000 connections, at 50 it is 880, at 25 760 (docs/performance.md).
const gcPercent = 50

// A heap of a few megabytes is collected after each megabyte of garbage, which is many times a second on a busy server,
// and each collection delays the deliveries beside it. While that is so, the heap has room for more garbage.
const (
	busyHeapRoom    = 4 << 20 // bytes of garbage before a collection, at the least
	busyCollections = 4       // a second: from so many on the server is busy; it is not when there was none
)

// collector chooses the garbage collector's percentage once a second.
type collector struct {
	cycles  uint64 // collections until the last look
	percent int
}

// next is the percentage after a second at whose end there have been so many collections. It is a share of base: the
// bytes that the last one left, with stacks and global variables.
func (c *collector) next(cycles, base uint64) int {
	made := cycles - c.cycles
	c.cycles = cycles
	switch {
	case made >= busyCollections || c.percent > gcPercent && made > 0:
		c.percent = max(gcPercent, int(100*busyHeapRoom/max(base, 1<<20)))
	case made == 0:
		c.percent = gcPercent
	}
	return c.percent
}

// paceCollector keeps the garbage collector's percentage right until stop is closed. GOGC in the environment overrules
// it.
func paceCollector(stop <-chan struct{}) {
	if os.Getenv("GOGC") != "" {
		return
	}
	debug.SetGCPercent(gcPercent)
	c := collector{percent: gcPercent}
	c.cycles, _ = collections()
	every := time.NewTicker(time.Second)
	defer every.Stop()
	for {
		select {
		case <-stop:
			return
		case <-every.C:
		}
		if before := c.percent; c.next(collections()) != before {
			debug.SetGCPercent(c.percent)
		}
	}
}

// collections are how many there have been, and the bytes that the garbage collector's percentage is a share of.
func collections() (cycles, base uint64) {
	seen := []metrics.Sample{
		{Name: "/gc/cycles/total:gc-cycles"}, {Name: "/gc/heap/live:bytes"}, {Name: "/gc/scan/stack:bytes"}, {Name: "/gc/scan/globals:bytes"},
	}
	metrics.Read(seen)
	for _, sample := range seen[1:] {
		base += sample.Value.Uint64()
	}
	return seen[0].Value.Uint64(), base
}
