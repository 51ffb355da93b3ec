package bus

import (
	"log/slog"
	"sync"
)

// drops counts what is dropped, and keeps trouble that repeats itself out of the log: each kind is logged once per flush.
type drops struct {
	// Constant after construction.
	log   *slog.Logger
	count func(reason string, n int)

	mu sync.Mutex
	// Guarded by mu.
	dropped map[string]int   // by reason, since the last flush
	reasons map[string]error // the last error of a reason
	noted   map[string]int   // how often, since the last flush
}

func newDrops(log *slog.Logger, count func(string, int)) *drops {
	return &drops{log: log, count: count, dropped: map[string]int{}, reasons: map[string]error{}, noted: map[string]int{}}
}

// add counts n publications; err, which may be nil, is what Redis said.
func (d *drops) add(reason string, n int, err error) {
	if n <= 0 {
		return
	}
	d.count(reason, n)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.dropped[reason] += n
	if err != nil {
		d.reasons[reason] = err
	}
}

// note logs trouble the first time after a flush.
func (d *drops) note(what string, err error) {
	d.mu.Lock()
	d.noted[what]++
	first := d.noted[what] == 1
	d.mu.Unlock()
	if first {
		d.log.Warn("redis: "+what, "error", err)
	}
}

// flush logs what was dropped since the last one.
func (d *drops) flush() {
	d.mu.Lock()
	dropped, reasons := d.dropped, d.reasons
	d.dropped, d.reasons, d.noted = map[string]int{}, map[string]error{}, map[string]int{}
	d.mu.Unlock()
	for reason, n := range dropped {
		d.log.Warn("publications dropped", "reason", reason, "count", n, "error", reasons[reason])
	}
}
