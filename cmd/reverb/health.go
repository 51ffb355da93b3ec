package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"time"

	"github.com/urfave/cli/v2"

	"reverb/config"
)

// healthTimeout is how long the server may take to answer about itself.
const healthTimeout = 3 * time.Second

// healthCommand is for containers, whose images have no curl.
func healthCommand(p process, out *console) *cli.Command {
	return &cli.Command{
		Name:        "health",
		Usage:       "Ask the server of this configuration on this machine whether it is up",
		Description: "Exit code 0: it answers; 1: it does not. For health checks where there is no curl.",
		Flags: append(append(addressFlags(), fileFlags()...),
			&cli.BoolFlag{Name: "ready", Usage: "ask whether new clients should come: no longer while it drains"}),
		Action: func(c *cli.Context) error {
			cfg, err := load(c, p.environ)
			if err != nil {
				return err
			}
			path := cfg.Server.HealthPath
			if c.Bool("ready") {
				path = cfg.Server.Prefix() + "/ready"
			}
			ctx, cancel := context.WithTimeout(c.Context, healthTimeout)
			defer cancel()
			if err = checkHealth(ctx, cfg, path); err != nil {
				return err
			}
			out.info("The server is up.")
			return nil
		},
	}
}

// checkHealth asks over the server's own port. What certificate it shows does not matter: we ask this machine.
func checkHealth(ctx context.Context, cfg *config.Config, path string) error {
	certificate, err := loadCertificate(cfg.Server)
	if err != nil {
		return err
	}
	address, scheme := healthAddress(cfg.Server), "http"
	if certificate != nil {
		scheme = "https"
	}
	transport := &http.Transport{
		DialContext:       func(ctx context.Context, _, _ string) (net.Conn, error) { return dialSelf(ctx, cfg.Server, address) },
		TLSClientConfig:   &tls.Config{InsecureSkipVerify: true}, //nolint:gosec // see above
		DisableKeepAlives: true,
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, scheme+"://"+address+path, http.NoBody)
	if err != nil {
		return fmt.Errorf("ask %s: %w", address, err)
	}
	answer, err := transport.RoundTrip(request)
	if err != nil {
		return fmt.Errorf("ask %s: %w", address, err)
	}
	_ = answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("ask %s: answered %s", address, answer.Status)
	}
	return nil
}

// dialSelf connects as the trusted proxy that we are to the server if it trusts this machine.
func dialSelf(ctx context.Context, server config.Server, address string) (net.Conn, error) {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", address)
	if err != nil || !server.ProxyProtocol {
		return conn, err
	}
	own, ok := conn.LocalAddr().(*net.TCPAddr)
	if !ok {
		return conn, nil
	}
	for _, trusted := range server.Proxies() {
		if trusted.Contains(own.AddrPort().Addr().Unmap()) {
			if _, err = conn.Write([]byte("PROXY UNKNOWN\r\n")); err != nil {
				return nil, errors.Join(err, conn.Close())
			}
			break
		}
	}
	return conn, nil
}

// healthAddress is where the server listens, as this machine reaches it.
func healthAddress(server config.Server) string {
	host, _, _ := net.SplitHostPort(server.Address())
	if addr, err := netip.ParseAddr(host); err == nil && addr.IsUnspecified() {
		host = "127.0.0.1"
		if addr.Is6() {
			host = "::1"
		}
	}
	return net.JoinHostPort(host, strconv.Itoa(server.Port))
}
