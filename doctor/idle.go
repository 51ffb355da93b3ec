package doctor

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/gobwas/ws"
)

// idleSpare is how long after the ping interval the server's ping must have come.
const idleSpare = 15 * time.Second

// idleSockets is the part about what a proxy does to a connection that is silent.
type idleSockets struct{ *examination }

// check stays silent until the server pings, as it does after ping_interval: everything in between must keep the
// connection so long.
func (e idleSockets) check() {
	const check, title = "idle.ping", "Silence up to the ping"
	app := e.app()
	switch {
	case app == nil:
		e.skip(check, title, "there is no application to connect to")
		return
	case !e.o.Idle:
		e.skip(check, title, "it takes longer than %s: --idle does it", app.PingInterval)
		return
	case !e.publicWorks:
		e.skip(check, title, "%s", e.publicFault)
		return
	}
	ctx, cancel := context.WithTimeout(e.ctx, app.PingInterval+idleSpare)
	defer cancel()
	s, _, err := e.upgrade(ctx, e.public, app.Key, nil)
	if err == nil && s != nil {
		defer s.leave()
		err = s.greet(ctx)
	}
	if err != nil || s == nil {
		e.fail(check, title, "no second connection was possible", "the first one was", "try again")
		return
	}
	begun := e.probes.Now()
	err = e.waitForPing(ctx, s, app.PingInterval+idleSpare)
	e.judgeIdle(check, title, app.PingInterval, e.probes.Now().Sub(begun), err)
}

// waitForPing returns when the server pings, with an event or a control frame. Meanwhile Progress is called.
func (e idleSockets) waitForPing(ctx context.Context, s *socket, whole time.Duration) error {
	done := make(chan error, 1)
	go func() { done <- s.ping(ctx) }()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	begun := time.Now()
	for {
		select {
		case err := <-done:
			return err
		case <-tick.C:
			if e.o.Progress != nil {
				e.o.Progress(time.Since(begun), whole)
			}
		}
	}
}

// ping reads until a ping comes.
func (s *socket) ping(ctx context.Context) error {
	for {
		op, payload, err := s.frame(ctx)
		switch {
		case err != nil:
			return err
		case op == ws.OpPing:
			return nil
		case op == ws.OpText && containsFold(string(payload), `"pusher:ping"`):
			return nil
		}
	}
}

func (e idleSockets) judgeIdle(check, title string, interval, waited time.Duration, err error) {
	var end *hangUpError
	switch {
	case err == nil:
		e.ok(check, title, "the connection was kept for %s, then the server's ping came", waited.Round(time.Second))
	case e.ctx.Err() != nil:
		e.skip(check, title, "interrupted after %s", waited.Round(time.Second))
	case errors.As(err, &end) && end.Code >= 4000:
		e.fail(check, title, fmt.Sprintf("the server ended it after %s: %s", waited.Round(time.Second), end), "clients lose their connections", "look at the server's log")
	case errors.As(err, &end):
		e.fail(check, title, fmt.Sprintf("after %s of silence %s", waited.Round(time.Second), end), fmt.Sprintf("the proxy does not keep silent connections until the server pings, after %s: clients lose them again and again", interval),
			fmt.Sprintf("Nginx: proxy_read_timeout %[1]ds; proxy_send_timeout %[1]ds;", int((2*interval).Seconds())), "HAProxy: timeout tunnel 1h; AWS: idle timeout of the balancer",
			fmt.Sprintf(".env: REVERB_APP_PING_INTERVAL, less than %d", max(int(waited.Seconds()), 1)))
	default:
		e.warn(check, title, fmt.Sprintf("no ping came within %s: %s", waited.Round(time.Second), reason(err)), "another ping_interval than this configuration's holds, or the proxy keeps back what the server sends",
			"reverb restart, if the configuration was changed", "Nginx: proxy_buffering off;")
	}
}
