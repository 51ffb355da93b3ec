package main

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"reverb/internal/listener"
	"reverb/management/dashboard"
	"reverb/node/certificate"
	"reverb/node/handover"
)

// The bounds of the dashboard's listener. There is no bound for a whole answer, because the tail is one that lasts.
const (
	pageConnections = 256 // open at once; who comes then waits
	pageHead        = 16 << 10
)

// page is the live page with its listener.
type page struct {
	dashboard *dashboard.Dashboard
	http      *http.Server
}

// startPage opens the dashboard, if it is enabled. It speaks TLS when the server does and the page can be reached from elsewhere.
func (n *node) startPage(pair *certificate.Pair) error {
	conf := n.cfg.Dashboard
	if !conf.Enabled {
		return nil
	}
	listeners, err := n.lineage.listen(handover.Dashboard, conf.Listen, func() (net.Listener, error) {
		return new(net.ListenConfig).Listen(context.Background(), "tcp", conf.Listen)
	})
	if err != nil {
		return fmt.Errorf("listen on dashboard.listen = %q: %s", conf.Listen, listener.Reason(err))
	}
	scheme := "http"
	var own *tls.Config
	if pair != nil && !conf.Loopback() {
		scheme, own = "https", pair.TLSConfig()
		own.NextProtos = nil
	}
	d := dashboard.New(dashboard.Options{
		Config: n.cfg, Server: n.server, Metrics: n.metrics, Log: n.log, Version: version(),
		Name: cmp.Or(hostName(), listeners[0].Addr().String()),
	})
	n.page = &page{d, &http.Server{
		Handler:           d.Handler(),
		ReadHeaderTimeout: scrapeTimeout,
		ReadTimeout:       scrapeTimeout,
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    pageHead,
		ErrorLog:          slog.NewLogLogger(n.log.Handler(), slog.LevelDebug),
	}}
	for _, ln := range listeners {
		n.running.Go(func() { n.servePage(ln, own) })
		n.log.Info("dashboard is served", "url", scheme+"://"+ln.Addr().String()+"/")
	}
	return nil
}

func (n *node) servePage(bare net.Listener, own *tls.Config) {
	ln := listener.Limit(listener.Patient(bare, n.log, n.acceptFailed(handover.Dashboard)), pageConnections)
	if own != nil {
		ln = tls.NewListener(ln, own)
	}
	if err := n.page.http.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
		n.log.Error("the listener of the dashboard has ended", "err", err)
	}
}

// endPage ends the streams first, for they do not end by themselves.
func (n *node) endPage(ctx context.Context) {
	if n.page == nil {
		return
	}
	n.page.dashboard.Close()
	n.endHTTP(ctx, n.page.http)
}
