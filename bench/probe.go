package bench

import (
	"context"
	"net/http"
	"sync"

	"reverb/bench/client"
)

// probe asks for the list of channels beside the events, by a clock of its own: requests that net/http answers, and that wait for whatever the
// event loops keep from it.
type probe struct {
	post     *client.Publisher // nil: there are no probes
	schedule schedule
	answers  *window
	faults   *faults
	stop     int64
	running  sync.WaitGroup
}

// newProbe plans it for the time of t.
func newProbe(r *rig, t *traffic) *probe {
	p := &probe{faults: &r.faults, stop: t.stop}
	if r.set.Probes == 0 {
		return p
	}
	p.post = client.NewPublisher(r.api, 1, true)
	p.schedule = newSchedule(t.start, r.set.Probes)
	p.answers = newWindow("GET channels", t.warm, r.set.Duration, 1)
	return p
}

// launch begins; the probe ends at stop or with ctx.
func (p *probe) launch(ctx context.Context) {
	if p.post == nil {
		return
	}
	p.running.Go(func() {
		for n := int64(0); ; n++ {
			due := p.schedule.due(n)
			if due >= p.stop || !p.schedule.wait(ctx, due) {
				return
			}
			status, _, err := p.post.Get("/channels", "")
			switch {
			case err != nil:
				p.faults.add("ask for channels: %v", err)
				return
			case status != http.StatusOK:
				p.faults.add("ask for channels: answered with status %d", status)
			default:
				p.answers.record(0, due, client.Now())
			}
		}
	})
}

// end waits for the last answer, for as long as the client waits for one.
func (p *probe) end(r *rig) {
	if p.post == nil {
		return
	}
	unhook := context.AfterFunc(r.hard, p.post.Close)
	defer unhook()
	p.running.Wait()
	p.post.Close()
}

func (p *probe) tell(r *rig) {
	if p.post != nil {
		r.latency(p.answers.name, p.answers.latency)
	}
}
