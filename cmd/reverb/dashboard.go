package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"time"

	"reverb/dashboard"
	"reverb/poller"
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
func (n *node) startPage(certificate *poller.Certificate) error {
	conf := n.cfg.Dashboard
	if !conf.Enabled {
		return nil
	}
	ln, err := new(net.ListenConfig).Listen(context.Background(), "tcp", conf.Listen)
	if err != nil {
		return fmt.Errorf("listen on dashboard.listen = %q: %s", conf.Listen, reasonText(err))
	}
	address := ln.Addr().String()
	ln = limitListener(ln, pageConnections)
	scheme := "http"
	if certificate != nil && !conf.Loopback() {
		scheme = "https"
		own := certificate.TLSConfig().Clone()
		own.NextProtos = nil
		ln = tls.NewListener(ln, own)
	}
	name, err := os.Hostname()
	if err != nil {
		name = address
	}
	d := dashboard.New(dashboard.Options{
		Config: n.cfg, Server: n.server, Metrics: n.metrics, Log: n.log, Version: version(), Name: name,
	})
	n.page = &page{d, &http.Server{
		Handler:           d.Handler(),
		ReadHeaderTimeout: scrapeTimeout,
		ReadTimeout:       scrapeTimeout,
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    pageHead,
		ErrorLog:          slog.NewLogLogger(n.log.Handler(), slog.LevelDebug),
	}}
	n.running.Go(func() {
		if err := n.page.http.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
			n.log.Error("the listener of the dashboard has ended", "err", err)
		}
	})
	n.log.Info("dashboard is served", "url", scheme+"://"+address+"/")
	return nil
}

// endPage ends the streams first, for they do not end by themselves.
func (n *node) endPage(ctx context.Context) {
	if n.page == nil {
		return
	}
	n.page.dashboard.Close()
	n.endHTTP(ctx, n.page.http)
}
