package doctor

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"reverb/config"
)

// Options say what is examined. The zero value of a field means what its comment says.
type Options struct {
	Config      *config.Config // nil: it could not be loaded, ConfigError says why
	ConfigError error

	Variables      map[string]config.Variable // of .env and environment
	VariablesError error                      // lines that could not be read

	CertFile, KeyFile, Passphrase string // what the server will serve; none: it speaks plain TCP

	URL    string // public address to test; "" = that of REVERB_SCHEME, REVERB_HOST, REVERB_PORT
	Origin string // of the browser that is played; "" = APP_URL, else the public address
	App    string // id of the app of the round trip; "" = the first enabled one
	Idle   bool   // wait for longer than the ping interval

	Probes   Probes
	Found    func(Finding)                     // called with each finding at once, on the goroutine of Run; may be nil
	Progress func(waited, whole time.Duration) // called about once a second while Idle waits; may be nil
}

// stepTimeout bounds each step over the network: a connection, an answer, an event.
const stepTimeout = 5 * time.Second

// Run makes all checks, one after the other, and returns early only when ctx ends. It starts no goroutine that outlives
// it.
func Run(ctx context.Context, o Options) Report {
	e := &examination{ctx: ctx, o: o, probes: o.Probes, cfg: o.Config, secrets: secretsOf(o), report: Report{Status: OK, Findings: []Finding{}}}
	for _, part := range []struct {
		section string
		checks  interface{ check() }
	}{
		{"Configuration", configuration{e}},
		{"Environment", environment{e}},
		{"Applications", applications{e}},
		{"Server", ownServer{e}},
		{"System", machine{e}},
		{"Memory", memory{machine{e}}},
		{"TLS", certificates{e}},
		{"Redis", redisServer{e}},
		{"Restart signal", restartSignal{e}},
		{"Public address", publicAddress{e}},
		{"Round trip", trips{e}},
		{"Idle sockets", idleSockets{e}},
	} {
		if ctx.Err() != nil {
			break
		}
		e.section = part.section
		part.checks.check()
	}
	return e.report
}

// examination is one run: what all parts of it ask with, tell with and have learned. Its methods, and those of the
// parts, belong to the goroutine of Run.
type examination struct {
	// Constant. The context is kept because an examination is one call of Run.
	ctx     context.Context
	o       Options
	probes  Probes
	cfg     *config.Config // replaced by the default when it could not be loaded
	secrets []string

	section string
	report  Report

	// What earlier checks learned.
	usable bool // the configuration is the site's
	up     bool // the server of the configuration answers on this machine
	pid    int  // of that server, 0 = not known
	local  target
	public target // host "" = not known

	publicWorks bool   // it upgrades and a Pusher server answers
	publicTrust bool   // its certificate is one that Laravel accepts; true without TLS
	publicFault string // why not publicWorks, for those that are skipped for it
}

func (e *examination) add(f Finding) {
	f.Section = e.section
	f.scrub(e.secrets)
	e.report.add(f)
	if e.o.Found != nil {
		e.o.Found(f)
	}
}

func (e *examination) ok(check, title, what string, args ...any) {
	e.add(Finding{Check: check, Title: title, Status: OK, What: fmt.Sprintf(what, args...)})
}

func (e *examination) skip(check, title, why string, args ...any) {
	e.add(Finding{Check: check, Title: title, Status: Skipped, What: fmt.Sprintf(why, args...)})
}

func (e *examination) warn(check, title, what, why string, fix ...string) {
	e.add(Finding{Check: check, Title: title, Status: Warning, What: what, Why: why, Fix: fix})
}

func (e *examination) fail(check, title, what, why string, fix ...string) {
	e.add(Finding{Check: check, Title: title, Status: Failure, What: what, Why: why, Fix: fix})
}

// step is the context of one step over the network.
func (e *examination) step() (context.Context, context.CancelFunc) {
	return context.WithTimeout(e.ctx, stepTimeout)
}

// variable is the value of an environment variable, "" when it is not set.
func (e *examination) variable(name string) string { return e.o.Variables[name].Value }

// configuration is the part about config.toml and the variables together.
type configuration struct{ *examination }

// check tells what of the configuration cannot be used. The checks of the system then go on with the defaults.
func (e configuration) check() {
	e.usable = e.cfg != nil
	if e.usable {
		e.ok("config.load", "Configuration", "valid, %s", count(len(e.cfg.Apps), "application"))
		return
	}
	e.cfg = config.Default()
	const why = "the server does not start with it"
	if errors.Is(e.o.ConfigError, config.ErrNoApp) {
		e.fail("config.load", "Configuration", "no application is configured", why, "reverb install")
		return
	}
	text := "it cannot be loaded"
	if e.o.ConfigError != nil {
		text = e.o.ConfigError.Error()
	}
	for line := range strings.Lines(text) {
		e.fail("config.load", "Configuration", strings.TrimRight(line, "\n"), why, "reverb check # after the change")
	}
}

// secretsOf are the texts that no finding may hold, the longest first: one may begin another.
func secretsOf(o Options) []string {
	secrets := []string{o.Passphrase}
	for name, v := range o.Variables {
		if config.SecretName(name) {
			secrets = append(append(secrets, v.Value), strings.Split(v.Value, ",")...) // the previous ones are a list
		}
	}
	if o.Config != nil {
		secrets = append(secrets, o.Config.Secrets()...)
	}
	slices.SortFunc(secrets, func(a, b string) int { return len(b) - len(a) })
	return secrets
}

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
