package bench

import (
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"

	"reverb/bench/client"
)

// Server is a server under test, as the command line or a profile names it.
type Server struct {
	Name    string `toml:"-"`       // the profile's, or what --compare called it; may be empty
	Addr    string `toml:"addr"`    // host:port; port 0 with Spawn: a free one
	Publish string `toml:"publish"` // host:port of another node, which is published to; port 0 with Spawn: a free one; empty: Addr
	Path    string `toml:"path"`    // prefix of every route
	AppID   string `toml:"app_id"`  //
	Key     string `toml:"key"`     //
	Secret  string `toml:"secret"`  //
	TLS     bool   `toml:"tls"`     // any certificate will do
	Origin  string `toml:"origin"`  // header of the upgrade
	PID     int    `toml:"pid"`     // of the server's process, 0: unknown or spawned
	Metrics string `toml:"metrics"` // address of its metrics in Prometheus text, instead of a pid
	Spawn   string `toml:"spawn"`   // command that starts it; a fresh one for each run
	CPUs    string `toml:"cpus"`    // cores that a spawned server may use: "0", "2-3,6"
}

// target is where its clients go.
func (s Server) target() client.Target {
	return client.Target{Addr: s.Addr, Prefix: s.Path, AppID: s.AppID, Key: s.Key, Secret: s.Secret, TLS: s.TLS, Origin: s.Origin}
}

// api is where its publishers go.
func (s Server) api() client.Target {
	t := s.target()
	if s.Publish != "" {
		t.Addr = s.Publish
	}
	return t
}

// merge takes from base what s does not say.
func (s Server) merge(base Server) Server {
	for _, field := range []struct{ mine, theirs *string }{
		{&s.Addr, &base.Addr}, {&s.Path, &base.Path}, {&s.AppID, &base.AppID}, {&s.Key, &base.Key},
		{&s.Secret, &base.Secret}, {&s.Origin, &base.Origin}, {&s.CPUs, &base.CPUs},
	} {
		if *field.mine == "" {
			*field.mine = *field.theirs
		}
	}
	return s
}

// parseServer reads what --compare may name directly:
// ws://KEY:SECRET@HOST:PORT/PREFIX?app_id=ID&pid=PID&metrics=URL&origin=ORIGIN&spawn=COMMAND&cpus=LIST, or HOST:PORT.
func parseServer(text string) (Server, error) {
	if !strings.Contains(text, "://") {
		if _, _, err := net.SplitHostPort(text); err != nil {
			return Server{}, fmt.Errorf("%q is neither the name of a server nor an address", text)
		}
		return Server{Name: text, Addr: text}, nil
	}
	u, err := url.Parse(text)
	if err != nil {
		return Server{}, fmt.Errorf("read the server's address: %w", err)
	}
	if u.Scheme != "ws" && u.Scheme != "wss" {
		return Server{}, fmt.Errorf("%s: the scheme of a server is ws or wss", u.Redacted())
	}
	q := u.Query()
	secret, _ := u.User.Password()
	s := Server{
		Name: u.Host, Addr: u.Host, Path: u.Path, TLS: u.Scheme == "wss", Key: u.User.Username(), Secret: secret,
		AppID: q.Get("app_id"), Origin: q.Get("origin"), Metrics: q.Get("metrics"), Spawn: q.Get("spawn"), CPUs: q.Get("cpus"),
	}
	if pid := q.Get("pid"); pid != "" {
		if s.PID, err = strconv.Atoi(pid); err != nil {
			return Server{}, fmt.Errorf("%s: pid %q is no number", u.Redacted(), pid)
		}
	}
	return s, s.check()
}

// check reports what cannot be.
func (s Server) check() error {
	_, port, err := net.SplitHostPort(s.Addr)
	switch {
	case err != nil:
		return fmt.Errorf("%q is not HOST:PORT", s.Addr)
	case port == "0" && s.Spawn == "":
		return fmt.Errorf("%s: port 0 is for a server that is spawned", s.Addr)
	case s.PID != 0 && s.Spawn != "":
		return fmt.Errorf("%s: a server that is spawned has no pid yet", s.Addr)
	}
	_, err = parseCPUs(s.CPUs)
	return err
}
