package measure

import (
	"context"
	"fmt"
	"time"
)

// Usage is what the server used when it was looked at. An unknown value is 0.
type Usage struct {
	At          time.Time     `json:"at"`
	RSS         int64         `json:"rss_bytes"` // resident memory
	CPU         time.Duration `json:"cpu_ns"`    // user and system, since it started
	User        time.Duration `json:"user_ns,omitempty"`
	System      time.Duration `json:"system_ns,omitempty"`
	Threads     int           `json:"threads,omitempty"`
	FDs         int           `json:"fds,omitempty"`
	Goroutines  int           `json:"goroutines,omitempty"`
	Connections int64         `json:"connections,omitempty"` // open at that moment, as the client counts
}

// CPUCores is the mean number of cores used between two samples. The time of children that end in between is known more coarsely from then
// on, so the sum may seem to go back a little; that counts as none.
func CPUCores(from, to Usage) float64 {
	if !to.At.After(from.At) || to.CPU < from.CPU {
		return 0
	}
	return float64(to.CPU-from.CPU) / float64(to.At.Sub(from.At))
}

// Process is the server under test, seen from outside. With its pid the kernel tells: the process and its children, summed, for some
// servers are a parent and a worker for each core. Without, the server's own page of metrics does, in Prometheus text. Safe for
// concurrent use.
type Process struct {
	source source
}

// source is where a Process is read.
type source interface {
	name() string
	// read reads the usage; At and Connections are left to the caller. exact asks for memory counted page by page.
	read(ctx context.Context, exact bool) (Usage, error)
}

// NewProcess looks at the server once, and fails when there is nothing to see. A pid of 0 means: by metricsURL.
func NewProcess(ctx context.Context, pid int, metricsURL string) (*Process, error) {
	p := &Process{source: newPage(metricsURL)}
	if pid != 0 {
		tree, err := newTree(pid)
		if err != nil {
			return nil, err
		}
		p.source = tree
	}
	if _, err := p.Sample(ctx); err != nil {
		return nil, fmt.Errorf("look at the server's process: %w", err)
	}
	return p, nil
}

// Name is the server's command without options, or the address of its metrics.
func (p *Process) Name() string { return p.source.name() }

// Sample reads the usage at small cost for the server.
func (p *Process) Sample(ctx context.Context) (Usage, error) { return p.read(ctx, false) }

// Exact reads the usage with resident memory counted page by page, where the cheap figure may be off by 128 KB for each core. The
// server cannot map memory meanwhile, for milliseconds: not to be used while latency is measured.
func (p *Process) Exact(ctx context.Context) (Usage, error) { return p.read(ctx, true) }

func (p *Process) read(ctx context.Context, exact bool) (Usage, error) {
	u, err := p.source.read(ctx, exact)
	u.At = time.Now()
	return u, err
}
