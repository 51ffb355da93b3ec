package main

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"time"

	"github.com/urfave/cli/v2"

	"reverb/config"
	"reverb/internal/console"
	"reverb/node/certificate"
)

const (
	healthTimeout = 3 * time.Second // how long the server may take to answer about itself
	maxHealth     = 4 << 10         // bytes of its answer
)

// healthCommand is for containers, whose images have no curl.
func healthCommand(p process, out *console.Console) *cli.Command {
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
			path, member := cfg.Server.HealthPath, "health"
			if c.Bool("ready") {
				path, member = cfg.Server.Prefix()+"/ready", "ready"
			}
			ctx, cancel := context.WithTimeout(c.Context, healthTimeout)
			defer cancel()
			if err = checkHealth(ctx, cfg, path, member); err != nil {
				return err
			}
			out.Info("The server is up.")
			return nil
		},
	}
}

// checkHealth asks over the server's own port. Its certificate does not matter: we ask this machine. The answer must be
// an object with the member: another program on the port may answer 200 to everything.
func checkHealth(ctx context.Context, cfg *config.Config, path, member string) error {
	pair, err := certificate.Of(cfg.Server)
	if err != nil {
		return err
	}
	address, scheme := healthAddress(cfg.Server), "http"
	if pair != nil {
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
	defer func() { _ = answer.Body.Close() }()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("ask %s: answered %s", address, answer.Status)
	}
	var body map[string]any
	err = json.NewDecoder(io.LimitReader(answer.Body, maxHealth)).Decode(&body)
	if _, ours := body[member]; err != nil || !ours {
		return fmt.Errorf("%s answers %s like a program that is no Reverb server.\n%s", address, path, holder(cfg.Server.Port))
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
