package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"

	"github.com/urfave/cli/v2"

	"reverb/bench/report"
)

// carryOut makes the runs, writes the results in every form that was asked for, and returns an error when one of them failed.
func carryOut(c *cli.Context, p Process, servers []Server, runs []Settings) error {
	rounds := c.Int("rounds")
	if rounds < 1 || rounds > maxRounds {
		return fmt.Errorf("rounds: %d is not within 1 and %d", rounds, maxRounds)
	}
	if err := writable(c); err != nil {
		return err
	}
	cpus, err := parseCPUs(c.String("client-cpus"))
	if err != nil {
		return err
	}
	if err := pin(cpus); err != nil {
		return err
	}
	soft, hard, free := interrupts(c.Context, p)
	defer free()
	results, runErr := plan{servers: servers, runs: runs, rounds: rounds, terminal: terminalOf(c)}.do(soft, hard)
	return errors.Join(write(c, results), runErr)
}

// interrupts makes two contexts: the first signal ends soft, so that what has been measured is still told; the second ends hard.
func interrupts(parent context.Context, p Process) (soft, hard context.Context, free func()) {
	hard, stopHard := context.WithCancel(parent)
	soft, stopSoft := context.WithCancel(hard)
	if p.Notify == nil {
		return soft, hard, func() { stopSoft(); stopHard() }
	}
	signals := make(chan os.Signal, 2)
	p.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for _, stop := range []context.CancelFunc{stopSoft, stopHard} {
			select {
			case <-signals:
				stop()
			case <-hard.Done():
				return
			}
		}
	}()
	return soft, hard, func() {
		p.Forget(signals)
		stopHard()
		<-done
		stopSoft()
	}
}

// write tells the results: a table, unless the output is for a program, and the files.
func write(c *cli.Context, results [][]report.Result) error {
	var all []report.Result
	for _, server := range results {
		all = append(all, server...)
	}
	if len(all) == 0 {
		return nil
	}
	var comparison *report.Comparison
	if len(results) == 2 {
		both := report.Compare(results[0], results[1])
		comparison = &both
	}
	var err error
	if c.String("json") != "-" && c.String("csv") != "-" {
		err = report.Table(c.App.Writer, all)
		if comparison != nil {
			err = errors.Join(err, comparison.Table(c.App.Writer))
		}
	}
	return errors.Join(err,
		toFile(c, "json", func(w io.Writer) error { return report.JSON(w, all) }),
		toFile(c, "csv", func(w io.Writer) error { return report.CSV(w, all) }),
		toFile(c, "html", func(w io.Writer) error { return report.HTML(w, all, comparison) }),
		tellPage(c),
	)
}

// tellPage says where the page with the charts is.
func tellPage(c *cli.Context) error {
	name := c.String("html")
	if name == "" || name == "-" || c.String("json") == "-" || c.String("csv") == "-" {
		return nil
	}
	if full, err := filepath.Abs(name); err == nil {
		name = full
	}
	if _, err := fmt.Fprintf(c.App.Writer, "The page with the charts: file://%s\n", name); err != nil {
		return fmt.Errorf("write the results: %w", err)
	}
	return nil
}

// writable makes the files of the results, so that a name that cannot be is an error before the runs and not after them. What a file holds
// stays there until there is something else for it.
func writable(c *cli.Context) error {
	for _, flag := range []string{"json", "csv", "html"} {
		name := c.String(flag)
		if name == "" || name == "-" {
			continue
		}
		if info, err := os.Stat(name); err == nil && !info.Mode().IsRegular() {
			continue // to close a pipe is to end it
		}
		f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE, 0o666)
		if err != nil {
			return fmt.Errorf("write the results: %w", err)
		}
		_ = f.Close()
	}
	return nil
}

// toFile writes to the file that a flag names, if it does.
func toFile(c *cli.Context, flag string, form func(io.Writer) error) error {
	name := c.String(flag)
	switch name {
	case "":
		return nil
	case "-":
		return form(c.App.Writer)
	}
	f, err := os.Create(name)
	if err != nil {
		return fmt.Errorf("write the results: %w", err)
	}
	if err := errors.Join(form(f), f.Close()); err != nil {
		return fmt.Errorf("write the results to %s: %w", name, err)
	}
	return nil
}
