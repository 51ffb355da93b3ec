package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/urfave/cli/v2"

	"reverb/config"
	"reverb/doctor"
	"reverb/internal/console"
	"reverb/laravel/restart"
	"reverb/management"
	"reverb/node/certificate"
)

// The exit codes of `reverb doctor`; 1 is also that of a wrong flag, as everywhere.
const (
	exitWarnings = 1 // with --strict
	exitFailures = 2
)

// statusError ends a command that has told everything with a code of its own.
type statusError int

func (e statusError) Error() string { return fmt.Sprintf("exit status %d", int(e)) }

func doctorCommand(p process, out *console.Console) *cli.Command {
	return &cli.Command{
		Name:  "doctor",
		Usage: "Examine this machine, the site's .env, Redis, certificates, the proxy in front and a whole round trip",
		Description: "Changes nothing and shows no secret. Exit code 0: all is well or there are warnings; 1: warnings, with --strict; 2: failures. " +
			"Works with the server up or down; what cannot be examined is listed with the reason.",
		Flags: append(append(addressFlags(), fileFlags()...),
			&cli.StringFlag{Name: "url", Usage: "test this `URL` instead of REVERB_SCHEME://REVERB_HOST:REVERB_PORT"},
			&cli.StringFlag{Name: "origin", Usage: "play a browser on a page of `ORIGIN` (default: APP_URL)"},
			&cli.StringFlag{Name: "app", Usage: "use the application with this `ID` (default: the first one)"},
			&cli.BoolFlag{Name: "idle", Usage: "wait in silence for the server's ping, to see whether the proxy keeps the connection; takes ping_interval"},
			&cli.BoolFlag{Name: "strict", Usage: "exit code 1 when there are warnings"},
			&cli.BoolFlag{Name: "json", Usage: "print the report as JSON"}),
		Action: func(c *cli.Context) error { return examine(c, p, out) },
	}
}

func examine(c *cli.Context, p process, out *console.Console) error {
	if address := c.String("url"); address != "" {
		if err := doctor.ValidURL(address); err != nil {
			return fmt.Errorf("--url = %q: %w", address, err)
		}
	}
	o := doctorOptions(c, p)
	if id := c.String("app"); id != "" && o.Config != nil && o.Config.Apps.ByID(id) == nil {
		return fmt.Errorf("--app = %q: there is no such application", id)
	}
	ctx, stop := interruptible(p)
	defer stop()
	if c.Bool("json") {
		report := doctor.Run(ctx, o)
		encoder := json.NewEncoder(p.stdout)
		encoder.SetEscapeHTML(false)
		encoder.SetIndent("", "  ")
		if err := encoder.Encode(report); err != nil {
			return fmt.Errorf("write report: %w", err)
		}
		return verdict(report, c.Bool("strict"))
	}
	view := &doctorView{out: out}
	o.Found, o.Progress = view.found, view.progress
	report := doctor.Run(ctx, o)
	view.summary(report)
	return verdict(report, c.Bool("strict"))
}

// doctorOptions gathers what is examined. A configuration that cannot be used is a finding, no error.
func doctorOptions(c *cli.Context, p process) doctor.Options {
	from := source(c, p.environ)
	o := doctor.Options{URL: c.String("url"), Origin: c.String("origin"), App: c.String("app"), Idle: c.Bool("idle"), Probes: doctor.System()}
	o.Config, o.ConfigError = config.Load(from)
	o.Variables, o.VariablesError = config.Variables(from)
	if o.ConfigError != nil {
		o.VariablesError = nil // its lines are among those of the configuration
	}
	if o.Config != nil {
		o.CertFile, o.KeyFile, o.Passphrase, _ = certificate.FilesOf(o.Config.Server)
	}
	o.Probes.KeyPair = func(cert, key, passphrase string) error {
		_, err := certificate.Load(cert, key, passphrase)
		return err
	}
	o.Probes.Signal = func(ctx context.Context, cache config.Cache) (doctor.Signal, error) {
		keys, found, err := restart.Look(ctx, cache)
		return doctor.Signal{Keys: keys, Found: found}, err
	}
	o.Probes.ClientAddress = func(ctx context.Context, socketID string) (netip.AddrPort, error) {
		return askClient(ctx, o.Config, p.environ, socketID)
	}
	return o
}

// askClient asks the running server of a configuration from where a client comes.
func askClient(ctx context.Context, cfg *config.Config, environ []string, socketID string) (netip.AddrPort, error) {
	targets := []management.Target{management.Named(cfg.Server.ControlSocket)}
	if cfg.Server.ControlSocket == "" {
		targets = management.Targets(strconv.Itoa(cfg.Server.Port), environ)
	}
	for _, target := range targets {
		server, err := target.Dial()
		if err != nil {
			continue
		}
		reply, err := server.Ask(ctx, management.OrderClient(socketID))
		if err != nil {
			return netip.AddrPort{}, err
		}
		defer reply.Close()
		deadline, _ := ctx.Deadline()
		event, err := reply.Next(deadline)
		if err != nil {
			return netip.AddrPort{}, err
		}
		if event.Kind != management.Client {
			return netip.AddrPort{}, errors.New(event.Text)
		}
		return netip.ParseAddrPort(event.Address)
	}
	return netip.AddrPort{}, doctor.ErrNotAsked
}

// interruptible is a context that ends with the first signal.
func interruptible(p process) (context.Context, func()) {
	ctx, cancel := context.WithCancel(context.Background())
	signals := make(chan os.Signal, 1)
	p.notify(signals, os.Interrupt, syscall.SIGTERM)
	done := make(chan struct{})
	go func() {
		defer close(done)
		select {
		case <-signals:
			cancel()
		case <-ctx.Done():
		}
	}()
	return ctx, func() {
		p.forget(signals)
		cancel()
		<-done
	}
}

// verdict is the exit code of a report.
func verdict(r doctor.Report, strict bool) error {
	switch {
	case r.Failures > 0:
		return statusError(exitFailures)
	case r.Warnings > 0 && strict:
		return statusError(exitWarnings)
	}
	return nil
}

// doctorView shows findings as they come.
type doctorView struct {
	out     *console.Console
	section string
	waited  time.Duration // when progress was shown last
}

// labels are the words of the right column.
var labels = map[doctor.Status]string{doctor.OK: "OK", doctor.Skipped: "SKIPPED", doctor.Warning: "WARNING", doctor.Failure: "FAILED"}

var colours = map[doctor.Status]console.Colour{
	doctor.OK: console.Green, doctor.Skipped: console.Grey, doctor.Warning: console.Yellow, doctor.Failure: console.Red,
}

func (v *doctorView) found(f doctor.Finding) {
	if f.Section != v.section {
		v.section = f.Section
		v.out.Text("\n  " + v.out.Paint(console.Printable(f.Section), console.Grey) + "\n")
	}
	v.out.ColouredDetail(f.Title, labels[f.Status], colours[f.Status])
	v.indented("  ", f.What)
	if f.Why != "" {
		v.indented("  ", "Why: "+f.Why)
	}
	for _, fix := range f.Fix {
		v.indented("  → ", fix)
	}
}

// indented writes one text below a line, broken at the width of the terminal.
func (v *doctorView) indented(mark, text string) {
	width := max(v.out.Width()-8, 40)
	var b strings.Builder
	room := 0
	for i, word := range strings.Fields(console.Printable(text)) {
		n := len([]rune(word))
		switch {
		case i == 0:
			b.WriteString("  " + mark)
			room = width
		case room < n+1:
			b.WriteString("\n  " + strings.Repeat(" ", len([]rune(mark))))
			room = width
		default:
			b.WriteByte(' ')
			room--
		}
		b.WriteString(word)
		room -= n
	}
	v.out.Text(b.String() + "\n")
}

// progressStep is between two lines while --idle waits.
const progressStep = 10 * time.Second

func (v *doctorView) progress(waited, whole time.Duration) {
	if waited-v.waited < progressStep {
		return
	}
	v.waited = waited
	v.out.Detail("Waiting for the server's ping", fmt.Sprintf("%.0f of at most %.0f s", waited.Seconds(), whole.Seconds()))
}

func (v *doctorView) summary(r doctor.Report) {
	text := fmt.Sprintf("%s, %s, %d fine, %d skipped.", plural(r.Failures, "failure"), plural(r.Warnings, "warning"), r.OK, r.Skipped)
	switch r.Status {
	case doctor.Failure:
		v.out.Fail(text)
	case doctor.Warning:
		v.out.Warn(text)
	default:
		v.out.Info("Nothing is wrong: " + text)
	}
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
