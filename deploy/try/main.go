package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"sync"
	"syscall"
	"time"
)

// settle is how long it must be quiet before the restart begins, and how long events go on after it.
const settle = 2 * time.Second

// site is what clients and publisher know of the servers.
type site struct {
	address          string // host:port, TLS
	app, key, secret string
}

func main() {
	var s site
	flag.StringVar(&s.address, "address", "", "`HOST:PORT` of the proxy, TLS")
	flag.StringVar(&s.app, "app", "", "application `ID`")
	flag.StringVar(&s.key, "key", "", "its `KEY`")
	flag.StringVar(&s.secret, "secret", "", "its `SECRET`")
	clients := flag.Int("clients", 500, "how many clients")
	rate := flag.Int("rate", 10, "events per second")
	limit := flag.Duration("limit", 3*time.Minute, "give up after this time")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	ctx, cancel := context.WithTimeout(ctx, *limit)
	err := run(ctx, s, *clients, *rate, flag.Args())
	cancel()
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "try:", err)
		os.Exit(1)
	}
}

// run lets everybody in, runs the command while events flow, and tells what happened.
func run(ctx context.Context, s site, n, rate int, command []string) error {
	if n < 1 || rate < 1 || s.address == "" {
		return errors.New("want --address, and at least one client and one event per second")
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	all := make([]*client, n)
	var running sync.WaitGroup
	defer running.Wait()
	defer cancel()
	for i := range all {
		all[i] = &client{site: s, user: i + 1}
		running.Go(func() { all[i].run(ctx) })
	}
	if err := until(ctx, func() bool { return present(all) == n }); err != nil {
		return absence(all, err)
	}
	fmt.Printf("%d clients are connected, subscribed and present.\n", n)
	p := newPublisher(s, rate)
	running.Go(func() { p.run(ctx) })
	if err := pause(ctx, settle); err != nil {
		return err
	}
	began := time.Now()
	if len(command) > 0 {
		cmd := exec.CommandContext(ctx, command[0], command[1:]...)
		cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
		if err := cmd.Run(); err != nil {
			return fmt.Errorf("run %s: %w", command[0], err)
		}
	}
	if err := until(ctx, func() bool { return present(all) == n }); err != nil {
		return absence(all, err)
	}
	if err := pause(ctx, settle); err != nil {
		return err
	}
	p.stop()
	if err := pause(ctx, settle); err != nil {
		return err
	}
	ended := time.Now()
	cancel()
	running.Wait()
	return judge(all, p, began, ended).print()
}

func present(all []*client) int {
	n := 0
	for _, c := range all {
		if c.connected() {
			n++
		}
	}
	return n
}

// absence tells why not everybody is connected.
func absence(all []*client, err error) error {
	why := map[string]int{}
	for _, c := range all {
		if !c.connected() {
			c.mu.Lock()
			why[c.state]++
			c.mu.Unlock()
		}
	}
	return fmt.Errorf("clients that are not connected: %v: %w", why, err)
}

// until asks now and then whether ok.
func until(ctx context.Context, ok func() bool) error {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
	return nil
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
