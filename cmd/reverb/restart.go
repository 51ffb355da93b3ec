package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"syscall"
	"time"

	"github.com/urfave/cli/v2"

	"reverb/internal/console"
	"reverb/management"
	"reverb/node"
)

// restartTimeout bounds the wait for the next line of a server that stops; it tells something every second.
const restartTimeout = 30 * time.Second

func restartCommand(p process, out *console.Console) *cli.Command {
	return &cli.Command{
		Name:  "restart",
		Usage: "Restart the Reverb server of this site",
		Description: "Asks the running server to send its clients away politely and to end with exit code 0. The process manager " +
			"(Supervisor, systemd, Forge, Docker) starts it again, as it does with `php artisan reverb:restart`. With --handover the " +
			"server starts its successor itself, from the file that it was started from, before it sends anybody away.",
		Flags: append(fileFlags(),
			&cli.StringFlag{Name: "port", Usage: "restart the server that listens on `PORT` (default: the port of the configuration)"},
			&cli.BoolFlag{Name: "all", Usage: "restart every server of this user on this machine"},
			&cli.BoolFlag{Name: "handover", Usage: "start the new server first and have it take over the port: nobody is refused"},
			&cli.IntFlag{Name: "timeout", Value: 30, Usage: "with --handover: `SECONDS` that the new server may take to be ready"}),
		Action: func(c *cli.Context) error {
			what := instruction{order: management.OrderRestart, title: "Broadcasting Reverb restart signal.", tell: followRestart}
			if c.Bool("handover") {
				what = instruction{order: management.OrderHandover(c.Int("timeout")), title: "Handing over to the new server.", tell: followRestart}
			} else if c.IsSet("timeout") {
				return errors.New("--timeout is for --handover")
			}
			targets, err := restartTargets(c, p.environ)
			if err != nil {
				return err
			}
			return tellServers(out, what, targets)
		},
	}
}

// instruction is what the servers are told, and what the operator reads before.
type instruction struct {
	order management.Order
	title string
	tell  func(out *console.Console, server *management.Running, order management.Order) error
}

// restartTargets are the sockets of the servers that are meant: by default that of the configuration and no other. A
// machine often runs the servers of several sites, and a restart of one of them must not disconnect the users of the
// rest, so `every server` has to be said. (Reverb's signal reaches the servers that share a cache, which are those of
// one site.)
func restartTargets(c *cli.Context, environ []string) ([]management.Target, error) {
	switch port := c.String("port"); {
	case c.Bool("all") && port != "":
		return nil, errors.New("--all and --port exclude each other")
	case c.Bool("all"):
		return management.Targets("*", environ), nil
	case port != "":
		if _, err := strconv.ParseUint(port, 10, 16); err != nil {
			return nil, fmt.Errorf("--port = %q: want a port number", port)
		}
		return management.Targets(port, environ), nil
	}
	cfg, err := load(c, environ)
	switch {
	case err != nil:
		return nil, fmt.Errorf("%w\nor name the server with --port", err)
	case cfg.Server.ControlSocket != "":
		return []management.Target{management.Named(cfg.Server.ControlSocket)}, nil
	case cfg.Server.Port == 0:
		return nil, errors.New("the configuration leaves the port to the system: name the server with --port")
	}
	return management.Targets(strconv.Itoa(cfg.Server.Port), environ), nil
}

// tellServers goes from server to server: where there are several, the others stay up meanwhile. A place that is not
// believed is shown, and is no failure when there is a server elsewhere: another user of the machine must not be able
// to break a deploy.
func tellServers(out *console.Console, what instruction, targets []management.Target) error {
	running, failed := 0, 0
	var refused management.UntrustedError
	for _, target := range targets {
		server, err := target.Dial()
		if errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, syscall.ENOENT) {
			continue // left behind by a server that was killed
		}
		if errors.As(err, &refused) {
			out.ColouredDetail(target.String(), err.Error(), console.Red)
			continue
		}
		if running++; running == 1 {
			out.Info(what.title)
		}
		if err == nil {
			err = what.tell(out, server, what.order)
		}
		if err != nil {
			failed++
			out.ColouredDetail(target.String(), err.Error(), console.Red)
		}
	}
	switch {
	case running == 0 && refused.Reason != nil:
		return errors.New("no server of yours is running here, and a socket of another user is not believed: " + refused.Reason.Error())
	case running == 0:
		return errors.New("no such Reverb server is running on this machine")
	case failed > 0:
		return fmt.Errorf("%d of %d servers did not do as asked", failed, running)
	}
	return nil
}

// followRestart gives the order and reports what the server tells until it has stopped.
func followRestart(out *console.Console, server *management.Running, order management.Order) error {
	begun := time.Now()
	reply, err := server.Ask(context.Background(), order)
	if err != nil {
		return err
	}
	defer reply.Close()
	name, last, end := "", "", "stopped"
	for {
		event, err := reply.Next(time.Now().Add(restartTimeout))
		if err != nil {
			return err
		}
		switch event.Kind {
		case management.Accepted:
			name = serverName(event)
		case management.Starting:
		case management.Started:
			end = "its clients have moved"
			out.ColouredDetail(name, fmt.Sprintf("process %d has taken over", event.PID), console.Green)
		case management.Draining:
			if text := "draining, " + node.Remaining(event.Connections); text != last {
				last = text
				out.Detail(name, text)
			}
		case management.Stopped:
			out.ColouredDetail(name, fmt.Sprintf("%s after %.1f s", end, time.Since(begun).Seconds()), console.Green)
			return nil
		default:
			return errors.New(event.Text)
		}
	}
}

// serverName is how a server is shown.
func serverName(accepted management.Event) string {
	return fmt.Sprintf("%s (process %d)", accepted.Address, accepted.PID)
}
