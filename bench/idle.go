package bench

import (
	"context"

	"reverb/bench/client"
	"reverb/bench/measure"
	"reverb/bench/report"
)

// runIdle connects, subscribes, and holds. Memory is taken at the end of the time, against the server without any connection.
func runIdle(ctx context.Context, r *rig) error {
	channels := r.set.Channels
	if channels == 0 {
		channels = r.set.Connections
	}
	a, err := newAudience(r, channels, max(r.set.Connections/channels, 1), r.set.Connections, 1, 1)
	if err != nil {
		return err
	}
	f, err := r.fleet(client.Options{})
	if err != nil {
		return err
	}
	if err := a.gather(ctx, r, f); err != nil {
		return err
	}
	l := r.begin(ctx, f)
	r.until(ctx, "hold", client.Now()+int64(r.set.Duration))
	l.end(ctx)
	l.judge(measure.NewLatency(1))
	held := f.Stats().Open
	r.figure("connections", report.Count, float64(held), report.Neither)
	if r.process == nil || held == 0 {
		return nil
	}
	full, err := r.process.Exact(ctx)
	if err != nil {
		return err
	}
	r.figure("memory per connection", report.Bytes, float64(full.RSS-r.empty.RSS)/float64(held), report.Lower)
	r.figure("memory of the empty server", report.Bytes, float64(r.empty.RSS), report.Lower)
	l.cpu("", 0)
	r.figure("server CPU per connection and second", report.Nanoseconds, float64(l.to.CPU-l.from.CPU)/float64(held)/l.seconds, report.Lower)
	if full.Goroutines > 0 {
		r.figure("goroutines", report.Count, float64(full.Goroutines), report.Lower)
	}
	r.figure("threads", report.Count, float64(full.Threads), report.Lower)
	a.leaving.Store(true)
	return nil
}
