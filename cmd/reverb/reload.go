package main

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"reverb/internal/console"
)

// The answers to the command "reload": "ok ADDRESS PID"; then a line for each change, and "reloaded"; or a line "error TEXT" for each
// thing that is wrong.
const (
	commandReload  = "reload"
	answerApp      = "app"      // ID CHANGE
	answerRestart  = "restart"  // KEY = VALUE…: needs one
	answerReloaded = "reloaded" // no more lines
)

const (
	reloadTimeout = 10 * time.Second // for the whole answer
	reloadLine    = 4 << 10          // the longest line of it, in bytes
)

func reloadCommand(p process, out *console.Console) *cli.Command {
	return &cli.Command{
		Name:  "reload",
		Usage: "Apply changes of the applications without a restart",
		Description: "Asks the running server to read its configuration again: applications that were added, changed or removed, keys and " +
			"secrets. Other connections notice nothing. Fails when the configuration cannot be used, which then changes nothing.",
		Flags: append(fileFlags(),
			&cli.StringFlag{Name: "port", Usage: "reload the server that listens on `PORT` (default: the port of the configuration)"},
			&cli.BoolFlag{Name: "all", Usage: "reload every server of this user on this machine"}),
		Action: func(c *cli.Context) error {
			sockets, err := restartTargets(c, p.environ)
			if err != nil {
				return err
			}
			return tellServers(out, restartOrder{command: commandReload, title: "Reloading the configuration.", ask: askReload}, sockets)
		},
	}
}

// askReload sends the command and shows the answer.
func askReload(out *console.Console, command string, conn net.Conn) error {
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(reloadTimeout))
	if _, err := conn.Write([]byte(command + "\n")); err != nil {
		return fmt.Errorf("ask for reload: %w", err)
	}
	var name string
	var changes int
	var wrong []string
	lines := bufio.NewScanner(conn)
	lines.Buffer(make([]byte, 0, reloadLine), reloadLine)
	for lines.Scan() {
		word, rest, _ := strings.Cut(lines.Text(), " ")
		switch word {
		case answerOK:
			name = serverName(rest)
		case answerApp:
			changes++
			id, change, _ := strings.Cut(rest, " ")
			out.Detail("app "+id, change)
		case answerRestart:
			changes++
			out.ColouredDetail("needs a restart", rest, console.Yellow)
		case answerReloaded:
			out.ColouredDetail(name, reloaded(changes), console.Green)
			return nil
		default:
			wrong = append(wrong, rest)
		}
	}
	if len(wrong) == 0 {
		return hungUp(lines.Err())
	}
	for _, line := range wrong {
		out.Text("  " + console.Printable(line) + "\n")
	}
	return errors.New("refused, nothing has changed")
}

func reloaded(changes int) string {
	if changes == 0 {
		return "reloaded, nothing has changed"
	}
	return "reloaded"
}
