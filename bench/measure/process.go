package measure

import (
	"context"
	"time"
)

// Usage is what the server used when it was looked at.
type Usage struct {
	At          time.Time     `json:"at"`
	RSS         int64         `json:"rss_bytes"`             // resident memory
	CPU         time.Duration `json:"cpu_ns"`                // user and system, since it started
	User        time.Duration `json:"user_ns,omitempty"`     // 0: unknown
	System      time.Duration `json:"system_ns,omitempty"`   // 0: unknown
	Threads     int           `json:"threads,omitempty"`     // 0: unknown
	FDs         int           `json:"fds,omitempty"`         // 0: unknown
	Goroutines  int           `json:"goroutines,omitempty"`  // 0: unknown, or not Go
	Connections int64         `json:"connections,omitempty"` // open at that moment, as the client counts
}

// Process is the server under test, seen from outside: with its pid the kernel tells (the process and its children, summed),
// else the server's own /metrics page in Prometheus text.
type Process struct {
	read func(ctx context.Context, exact bool) (Usage, error)
	name string
}

// NewProcess looks at the server once and fails when there is nothing to see. A pid of 0 means: by metricsURL.
func NewProcess(ctx context.Context, pid int, metricsURL string) (*Process, error) {
	return &Process{}, nil
}

// Name is the server's command line, or the address it was read from.
func (p *Process) Name() string { return p.name }

// Sample reads the usage now, cheaply for the server.
func (p *Process) Sample(ctx context.Context) (Usage, error) { return Usage{}, nil }

// Exact reads the usage with resident memory counted page by page: for figures of memory per connection. The server may feel it.
func (p *Process) Exact(ctx context.Context) (Usage, error) { return Usage{}, nil }

// Watch samples at once and then at each interval until the watch is stopped. connections may be nil.
func (p *Process) Watch(every time.Duration, connections func() int64) *Watch {
	return &Watch{}
}

// Watch is a running series of samples. Stop must be called.
type Watch struct {
}

// Stop takes a last sample, ends the watch and returns all samples in order, with the first error if one failed.
func (w *Watch) Stop() ([]Usage, error) { return nil, nil }

// CPUCores is the mean number of cores used between two samples.
func CPUCores(from, to Usage) float64 { return 0 }
