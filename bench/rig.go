package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"reverb/bench/client"
	"reverb/bench/measure"
	"reverb/bench/report"
)

const (
	watchEvery = 200 * time.Millisecond // how often the server's process is looked at
	drainGrain = 5 * time.Millisecond   // how often it is looked whether all has come
	settle     = 100 * time.Millisecond // after the last delivery, for one that comes twice
)

// rig is what every scenario stands on: the connections, the watch on the server and on ourselves, and the result it fills in. It is
// made for one run and closed after it.
type rig struct {
	// Constant after construction.
	set      Settings
	target   client.Target
	api      client.Target    // where publishers go: target, or another node
	process  *measure.Process // the server's; nil when unknown
	empty    measure.Usage    // of the server before the first connection
	watch    *measure.Watch   // nil without process
	terminal io.Writer        // where bars are drawn; nil: nowhere
	started  int64
	hard     context.Context // ends what an interrupt lets finish: draining

	faults faults

	mu     sync.Mutex
	fleets []*client.Fleet // guarded by mu: the watch counts their connections

	result report.Result // owned by the scenario's goroutine
}

// newRig looks at the server's process. server has been started.
func newRig(ctx context.Context, server Server, set Settings, terminal io.Writer) (*rig, error) {
	r := &rig{set: set, target: server.target(), api: server.api(), terminal: terminal, started: client.Now(), hard: ctx}
	name := server.Name
	if server.PID != 0 || server.Metrics != "" {
		process, err := measure.NewProcess(ctx, server.PID, server.Metrics)
		if err != nil {
			return nil, err
		}
		if r.empty, err = process.Exact(ctx); err != nil {
			return nil, err
		}
		r.process = process
		if name == "" {
			name = process.Name()
		}
		r.watch = process.Watch(watchEvery, r.connected)
	}
	if name == "" {
		name = server.Addr
	}
	r.result = report.Result{Scenario: set.title(), Target: server.Addr, Server: name, Started: time.Now(), Params: set.params()}
	return r, nil
}

// fleet makes connections for the scenario, with what o says beside the target and the settings.
func (r *rig) fleet(o client.Options) (*client.Fleet, error) {
	sources, err := r.set.sources()
	if err != nil {
		return nil, err
	}
	o.Target, o.Loops, o.Sources = r.target, r.set.Loops, sources
	f, err := client.NewFleet(o)
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.fleets = append(r.fleets, f)
	return f, nil
}

// connected is how many connections of all fleets are open.
func (r *rig) connected() (open int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, f := range r.fleets {
		open += f.Stats().Open
	}
	return open
}

// bar begins a long phase.
func (r *rig) bar(what string, steps int64) *bar { return newBar(r.terminal, what, steps) }

// figure adds a number to the result.
func (r *rig) figure(name, unit string, value float64, better report.Better) {
	r.result.Figures = append(r.result.Figures, report.Figure{Name: name, Unit: unit, Value: value, Better: better})
}

// latency adds a distribution to the result, unless it is empty.
func (r *rig) latency(name string, l *measure.Latency) {
	if m := report.Measured(name, l); m.Count > 0 {
		r.result.Latency = append(r.result.Latency, m)
	}
}

// note adds what has to be known before the figures are believed.
func (r *rig) note(format string, args ...any) {
	r.result.Client.Notes = append(r.result.Client.Notes, fmt.Sprintf(format, args...))
}

// close ends all connections; no handler runs afterwards.
func (r *rig) close() {
	r.mu.Lock()
	fleets := r.fleets
	r.fleets = nil
	r.mu.Unlock()
	for _, f := range fleets {
		f.Close()
	}
}

// finish ends the watch and tells the outcome. err is what ended the scenario early, nil when nothing did.
func (r *rig) finish(err error) report.Result {
	r.close()
	if r.watch != nil {
		samples, watchErr := r.watch.Stop()
		if watchErr != nil {
			r.faults.add("watch the server: %v", watchErr)
		}
		r.result.Series = append(r.result.Series, report.UsageSeries(samples)...)
	}
	switch {
	case errors.Is(err, context.Canceled):
		r.faults.add("interrupted")
	case err != nil:
		r.faults.add("%v", err)
	}
	r.result.Seconds = float64(client.Now()-r.started) / float64(time.Second)
	r.result.Errors = r.faults.list()
	return r.result
}

// drain waits until nothing is left under way, for the time that the settings give, and a moment more for what comes twice.
func (r *rig) drain(left func() bool) {
	for deadline := time.Now().Add(r.set.Drain); left() && time.Now().Before(deadline); {
		if !delay(r.hard, drainGrain) {
			return
		}
	}
	delay(r.hard, min(settle, r.set.Drain))
}

// lap is one stretch of time that is measured.
type lap struct {
	r       *rig
	fleet   *client.Fleet
	self    *measure.Self
	from    measure.Usage
	to      measure.Usage // after end
	seconds float64       // after end
	began   int64
}

// begin starts to measure; fleet is the one whose latencies count.
func (r *rig) begin(ctx context.Context, fleet *client.Fleet) *lap {
	return &lap{
		r: r, fleet: fleet, self: measure.NewSelf(r.set.Loops, fleet.Stats().BusyNs),
		from: r.sample(ctx), began: client.Now(),
	}
}

// end stops measuring the server; deliveries that are still under way are drained afterwards.
func (l *lap) end(ctx context.Context) {
	l.to = l.r.sample(context.WithoutCancel(ctx))
	l.seconds = float64(client.Now()-l.began) / float64(time.Second)
	l.r.result.Client = l.self.Report(l.fleet.Stats().BusyNs, measure.Summary{})
}

// judge tells, from the latency of the server, whether the client was the limit.
func (l *lap) judge(latency *measure.Latency) {
	l.r.result.Client = l.r.result.Client.Judge(latency.Summary())
}

// perSecond is a count of this lap as a rate.
func (l *lap) perSecond(n int64) float64 {
	if l.seconds == 0 {
		return 0
	}
	return float64(n) / l.seconds
}

// cpu adds what the server's processor did: the cores used, and the time for each of n things of that name.
func (l *lap) cpu(what string, n int64) {
	if l.r.process == nil || l.to.CPU == 0 {
		return
	}
	l.r.figure("server CPU", report.Cores, measure.CPUCores(l.from, l.to), report.Lower)
	if n > 0 && what != "" {
		l.r.figure("server CPU per "+what, report.Nanoseconds, float64(l.to.CPU-l.from.CPU)/float64(n), report.Lower)
	}
	l.r.figure("server memory", report.Bytes, float64(l.to.RSS), report.Lower)
}

// sample reads the server's usage; a failure is noted and leaves zeros.
func (r *rig) sample(ctx context.Context) measure.Usage {
	if r.process == nil {
		return measure.Usage{}
	}
	u, err := r.process.Sample(ctx)
	if err != nil {
		r.faults.add("look at the server: %v", err)
		return measure.Usage{}
	}
	return u
}

// peak is the most memory the server was seen with since then.
func (r *rig) peak(since time.Time) (most int64) {
	if r.watch == nil {
		return 0
	}
	for _, u := range r.watch.Samples() {
		if u.At.After(since) {
			most = max(most, u.RSS)
		}
	}
	return most
}

// failed reports why the run is no success: what checks and faults say.
func failed(r report.Result) error {
	switch {
	case !r.Checks.OK():
		c := r.Checks
		return fmt.Errorf("%s: of %d deliveries %d are missing, %d came twice, %d out of order, %d are unknown",
			r.Scenario, c.Expected, c.Missing, c.Duplicated, c.Reordered, c.Unknown)
	case len(r.Errors) > 0:
		return fmt.Errorf("%s: %w", r.Scenario, errors.New(r.Errors[0]))
	}
	return nil
}
