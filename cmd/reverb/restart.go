package main

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/urfave/cli/v2"

	"reverb/internal/console"
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
			order := restartOrder{command: commandRestart, title: "Broadcasting Reverb restart signal.", ask: askRestart}
			if c.Bool("handover") {
				order = restartOrder{command: commandHandover + " " + strconv.Itoa(c.Int("timeout")), title: "Handing over to the new server.", ask: askRestart}
			} else if c.IsSet("timeout") {
				return errors.New("--timeout is for --handover")
			}
			sockets, err := restartTargets(c, p.environ)
			if err != nil {
				return err
			}
			return tellServers(out, order, sockets)
		},
	}
}

// restartOrder is what the servers are told, and what the operator reads before.
type restartOrder struct {
	command, title string
	ask            func(out *console.Console, command string, conn net.Conn) error
}

// restartTargets are the sockets of the servers that are meant: by default that of the configuration and no other. A machine often runs
// the servers of several sites, and whoever restarts one of them must not disconnect the users of the rest, so `every server` has to be
// said. (Reverb's signal reaches the servers that share a cache, which are those of one site.)
func restartTargets(c *cli.Context, environ []string) ([]controlTarget, error) {
	switch port := c.String("port"); {
	case c.Bool("all") && port != "":
		return nil, errors.New("--all and --port exclude each other")
	case c.Bool("all"):
		return findControls("*", environ), nil
	case port != "":
		if _, err := strconv.ParseUint(port, 10, 16); err != nil {
			return nil, fmt.Errorf("--port = %q: want a port number", port)
		}
		return findControls(port, environ), nil
	}
	cfg, err := load(c, environ)
	switch {
	case err != nil:
		return nil, fmt.Errorf("%w\nor name the server with --port", err)
	case cfg.Server.ControlSocket != "":
		return []controlTarget{{path: cfg.Server.ControlSocket, named: true}}, nil
	case cfg.Server.Port == 0:
		return nil, errors.New("the configuration leaves the port to the system: name the server with --port")
	}
	return findControls(strconv.Itoa(cfg.Server.Port), environ), nil
}

// tellServers goes from server to server: where there are several, the others stay up meanwhile. A place that is not believed is shown, and
// is no failure when there is a server elsewhere: another user of the machine must not be able to break a deploy.
func tellServers(out *console.Console, order restartOrder, sockets []controlTarget) error {
	running, failed := 0, 0
	var refused untrusted
	for _, socket := range sockets {
		conn, err := socket.dial()
		if errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, syscall.ENOENT) {
			continue // left behind by a server that was killed
		}
		if errors.As(err, &refused) {
			out.ColouredDetail(socket.path, err.Error(), console.Red)
			continue
		}
		if running++; running == 1 {
			out.Info(order.title)
		}
		if err == nil {
			err = order.ask(out, order.command, conn)
		}
		if err != nil {
			failed++
			out.ColouredDetail(socket.path, err.Error(), console.Red)
		}
	}
	switch {
	case running == 0 && refused.reason != nil:
		return errors.New("no server of yours is running here, and a socket of another user is not believed: " + refused.reason.Error())
	case running == 0:
		return errors.New("no such Reverb server is running on this machine")
	case failed > 0:
		return fmt.Errorf("%d of %d servers did not do as asked", failed, running)
	}
	return nil
}

// askRestart sends the command and reports what the server tells until it has stopped.
func askRestart(out *console.Console, command string, conn net.Conn) error {
	defer func() { _ = conn.Close() }()
	begun := time.Now()
	if _, err := conn.Write([]byte(command + "\n")); err != nil {
		return fmt.Errorf("ask for restart: %w", err)
	}
	name, last, end := "", "", "stopped"
	lines := bufio.NewScanner(conn)
	lines.Buffer(nil, controlAnswer)
	for {
		_ = conn.SetReadDeadline(time.Now().Add(restartTimeout))
		if !lines.Scan() {
			return hungUp(lines.Err())
		}
		word, rest, _ := strings.Cut(lines.Text(), " ")
		switch word {
		case answerOK:
			name = serverName(rest)
		case answerStarting:
		case answerStarted:
			end = "its clients have moved"
			out.ColouredDetail(name, "process "+rest+" has taken over", console.Green)
		case answerDraining:
			if text := draining(rest); text != last {
				last = text
				out.Detail(name, text)
			}
		case answerStopped:
			out.ColouredDetail(name, fmt.Sprintf("%s after %.1f s", end, time.Since(begun).Seconds()), console.Green)
			return nil
		default:
			return errors.New(rest)
		}
	}
}

// serverName is how a server is shown that answered "ok ADDRESS PID".
func serverName(answer string) string {
	address, pid, _ := strings.Cut(answer, " ")
	return address + " (process " + pid + ")"
}

// hungUp says why the answers ended before the server had stopped.
func hungUp(err error) error {
	if err == nil {
		return errors.New("the server ended without a word")
	}
	return fmt.Errorf("read answer: %w", err)
}

// draining puts into words what a server tells.
func draining(count string) string {
	n, err := strconv.Atoi(count)
	if err != nil {
		return "draining"
	}
	return "draining, " + remaining(n)
}
