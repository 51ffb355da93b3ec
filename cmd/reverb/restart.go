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

	"reverb/config"
)

// restartTimeout bounds the wait for the next line of a server that stops; it tells something every second.
const restartTimeout = 30 * time.Second

func restartCommand(p process, out *console) *cli.Command {
	return &cli.Command{
		Name:  "restart",
		Usage: "Restart the Reverb servers of this machine",
		Description: "Asks the running servers to send their clients away politely and to end with exit code 0. The process manager " +
			"(Supervisor, systemd, Forge, Docker) starts them again, as it does with `php artisan reverb:restart`.",
		Flags: append(fileFlags(),
			&cli.StringFlag{Name: "port", Usage: "restart only the server that listens on `PORT`"}),
		Action: func(c *cli.Context) error {
			socket, err := configuredSocket(c, p.environ)
			if err != nil {
				return err
			}
			return restart(out, findControls(socket, c.String("port"), p.environ))
		},
	}
}

// configuredSocket is the path of the control socket if the configuration names one. A configuration that cannot be loaded counts only
// when the operator pointed at it: deploy scripts run this command in directories that have none.
func configuredSocket(c *cli.Context, environ []string) (string, error) {
	from := config.Source{File: c.String("config"), EnvFile: c.String("env-file"), Environ: environ}
	cfg, err := config.Load(from)
	switch {
	case err == nil:
		return cfg.Server.ControlSocket, nil
	case from.File != "" || from.EnvFile != "":
		return "", err
	}
	return "", nil
}

// restart goes from server to server: where there are several, the others stay up meanwhile.
func restart(out *console, sockets []string) error {
	running, failed := 0, 0
	for _, socket := range sockets {
		conn, err := net.DialTimeout("unix", socket, controlDialTimeout)
		if errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, syscall.ENOENT) {
			continue // left behind by a server that was killed
		}
		if running++; running == 1 {
			out.info("Broadcasting Reverb restart signal.")
		}
		if err == nil {
			err = askRestart(out, conn)
		}
		if err != nil {
			failed++
			out.colouredDetail(socket, err.Error(), out.styles.red)
		}
	}
	switch {
	case running == 0:
		return errors.New("no Reverb server is running on this machine")
	case failed > 0:
		return fmt.Errorf("%d of %d servers did not stop as asked", failed, running)
	}
	return nil
}

// askRestart sends the command and reports what the server tells until it has stopped.
func askRestart(out *console, conn net.Conn) error {
	defer func() { _ = conn.Close() }()
	begun := time.Now()
	if _, err := conn.Write([]byte(commandRestart + "\n")); err != nil {
		return fmt.Errorf("ask for restart: %w", err)
	}
	name, last := "", ""
	lines := bufio.NewScanner(conn)
	lines.Buffer(make([]byte, 0, controlLine), controlLine)
	for {
		_ = conn.SetReadDeadline(time.Now().Add(restartTimeout))
		if !lines.Scan() {
			return hungUp(lines.Err())
		}
		word, rest, _ := strings.Cut(lines.Text(), " ")
		switch word {
		case answerOK:
			address, pid, _ := strings.Cut(rest, " ")
			name = address + " (process " + pid + ")"
		case answerDraining:
			if text := remaining(rest); text != last {
				last = text
				out.detail(name, text)
			}
		case answerStopped:
			out.colouredDetail(name, fmt.Sprintf("stopped after %.1f s", time.Since(begun).Seconds()), out.styles.green)
			return nil
		default:
			return errors.New(rest)
		}
	}
}

// hungUp says why the answers ended before the server had stopped.
func hungUp(err error) error {
	if err == nil {
		return errors.New("the server ended without a word")
	}
	return fmt.Errorf("read answer: %w", err)
}

func remaining(count string) string {
	n, err := strconv.Atoi(count)
	switch {
	case err != nil:
		return "draining"
	case n == 1:
		return "draining, 1 connection left"
	}
	return "draining, " + strconv.Itoa(n) + " connections left"
}
