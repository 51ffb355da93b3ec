package main

import (
	"context"
	"errors"
	"time"

	"github.com/urfave/cli/v2"

	"reverb/internal/console"
	"reverb/management"
)

// reloadTimeout bounds the whole answer.
const reloadTimeout = 10 * time.Second

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
			targets, err := restartTargets(c, p.environ)
			if err != nil {
				return err
			}
			return tellServers(out, instruction{order: management.OrderReload, title: "Reloading the configuration.", tell: followReload}, targets)
		},
	}
}

// followReload gives the order and shows the answer.
func followReload(out *console.Console, server *management.Running, order management.Order) error {
	deadline := time.Now().Add(reloadTimeout)
	ctx, cancel := context.WithDeadline(context.Background(), deadline)
	defer cancel()
	reply, err := server.Ask(ctx, order)
	if err != nil {
		return err
	}
	defer reply.Close()
	var name string
	var changes int
	var wrong []string
	for {
		event, err := reply.Next(deadline)
		if err != nil && len(wrong) == 0 {
			return err
		}
		if err != nil {
			break // the list is complete
		}
		switch event.Kind {
		case management.Accepted:
			name = serverName(event)
		case management.AppChanged:
			changes++
			out.Detail("app "+event.App, event.Text)
		case management.NeedsRestart:
			changes++
			out.ColouredDetail("needs a restart", event.Text, console.Yellow)
		case management.Reloaded:
			out.ColouredDetail(name, reloaded(changes), console.Green)
			return nil
		default:
			wrong = append(wrong, event.Text)
		}
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
