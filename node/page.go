package node

import (
	"cmp"
	"context"
	"crypto/tls"
	"time"

	"reverb/internal/listener"
	"reverb/management/dashboard"
	"reverb/node/certificate"
	"reverb/node/handover"
)

// The bounds of the dashboard's listener. There is no bound for a whole answer, because the tail is one that lasts.
const (
	pageConnections = 256 // open at once; the next one waits
	pageHead        = 16 << 10
)

// page is the live page with its listener. A nil page is off.
type page struct {
	dashboard *dashboard.Dashboard
	side      *side
}

// startPage opens the dashboard, if it is enabled. It speaks TLS when the server does and the page can be reached from
// elsewhere.
func (n *Node) startPage(pair *certificate.Pair) error {
	conf := n.cfg.Dashboard
	if !conf.Enabled {
		return nil
	}
	listeners, err := n.listenBeside(handover.Dashboard, "dashboard.listen", conf.Listen)
	if err != nil {
		return err
	}
	scheme := "http"
	var own *tls.Config
	if pair != nil && !conf.Loopback() {
		scheme, own = "https", pair.TLSConfig()
		own.NextProtos = nil
	}
	d := dashboard.New(dashboard.Options{
		Config: n.cfg, Surface: n.surface, Server: n.engine.server, Metrics: n.engine.metrics, Log: n.log, Version: n.version,
		Name: cmp.Or(hostName(), listeners[0].Addr().String()),
	})
	n.page = &page{d, newSide(n.surface.Handler(), n.log)}
	n.page.side.http.IdleTimeout, n.page.side.http.MaxHeaderBytes = time.Minute, pageHead
	for _, bare := range listeners {
		ln := listener.Limit(n.patient(handover.Dashboard, bare), pageConnections)
		if own != nil {
			ln = tls.NewListener(ln, own)
		}
		n.running.Go(func() { n.page.side.serve(ln, "the listener of the dashboard has ended") })
		n.log.Info("dashboard is served", "url", scheme+"://"+bare.Addr().String()+"/")
	}
	return nil
}

// end ends the streams first, for they do not end by themselves.
func (p *page) end(ctx context.Context) {
	if p == nil {
		return
	}
	p.dashboard.Close()
	p.side.end(ctx)
}
