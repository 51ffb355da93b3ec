package bench

import (
	"errors"
	"fmt"

	"github.com/urfave/cli/v2"
)

// maxRounds bounds --rounds.
const maxRounds = 1000

// serverFlags say where the server under test is. They are defaults for the servers that --compare and --server name.
func serverFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "addr", Value: "127.0.0.1:8080", Usage: "`HOST:PORT` of the server"},
		&cli.StringFlag{Name: "path", Usage: "the `PREFIX` of its routes"},
		&cli.StringFlag{Name: "app-id", Value: "bench", EnvVars: []string{"REVERB_APP_ID"}, Usage: "its app's `ID`"},
		&cli.StringFlag{Name: "key", Value: "bench-key", EnvVars: []string{"REVERB_APP_KEY"}, Usage: "its app's `KEY`"},
		&cli.StringFlag{Name: "secret", Value: "bench-secret", EnvVars: []string{"REVERB_APP_SECRET"}, Usage: "its app's `SECRET`"},
		&cli.StringFlag{Name: "env-file", Usage: "read what --addr, --path, --app-id, --key and --secret leave open from `FILE` (default: .env, if there is one)"},
		&cli.BoolFlag{Name: "tls", Usage: "speak TLS, whatever its certificate says"},
		&cli.StringFlag{Name: "origin", Usage: "send this Origin `HEADER`"},
		&cli.IntFlag{Name: "pid", Usage: "its process, to read memory and CPU of: `PID`"},
		&cli.StringFlag{Name: "metrics", Usage: "`URL` of its Prometheus metrics, to read them from instead"},
		&cli.StringFlag{Name: "spawn", Usage: "start it with `COMMAND`, anew for each run, and stop it; {port} and {host} are filled in, with port 0 of --addr by a free one"},
		&cli.StringFlag{Name: "server-cpus", Usage: "keep a spawned server on these cores, as in `LIST` 0 or 2-3,6"},
		&cli.StringFlag{Name: "server", Usage: "`NAME` of a server of the file given with --servers, or of the profile"},
		&cli.StringFlag{Name: "servers", Usage: "read names of servers from `FILE`"},
		&cli.StringSliceFlag{Name: "compare", Usage: "run against two servers in turn and print ratios: `A,B`, names or ws://KEY:SECRET@HOST:PORT/PREFIX?app_id=ID&pid=PID"},
	}
}

// flagged is the server that the flags describe. The rest is that of the site in whose folder the command runs, unless the server
// is spawned or has a name: those say for themselves what they are.
func flagged(c *cli.Context, p Process) Server {
	s := Server{
		Addr: c.String("addr"), Path: c.String("path"), AppID: c.String("app-id"), Key: c.String("key"), Secret: c.String("secret"),
		TLS: c.Bool("tls"), Origin: c.String("origin"), PID: c.Int("pid"), Metrics: c.String("metrics"),
		Spawn: c.String("spawn"), CPUs: c.String("server-cpus"),
	}
	if p.Site == nil || s.Spawn != "" || c.IsSet("server") || c.IsSet("compare") {
		return s
	}
	site, ok := p.Site(c.String("env-file"))
	if !ok {
		return s
	}
	if !c.IsSet("addr") {
		s.Addr, s.Path, s.TLS = site.Addr, site.Path, site.TLS
	}
	for _, credential := range []struct {
		flag         string
		mine, theirs *string
	}{{"app-id", &s.AppID, &site.AppID}, {"key", &s.Key, &site.Key}, {"secret", &s.Secret, &site.Secret}} {
		if !c.IsSet(credential.flag) {
			*credential.mine = *credential.theirs
		}
	}
	return s
}

// chosenServers are the one or two servers that the flags choose, and the arguments that are left.
func chosenServers(c *cli.Context, p Process, known map[string]Server) ([]Server, []string, error) {
	flags := flagged(c, p)
	names, rest := c.StringSlice("compare"), c.Args().Slice()
	switch {
	case len(names) == 1 && len(rest) > 0: // --compare A B
		names, rest = append(names, rest[0]), rest[1:]
	case len(names) == 0 && c.String("server") != "":
		names = []string{c.String("server")}
	case len(names) == 0:
		return []Server{flags}, rest, flags.check()
	}
	if c.IsSet("compare") && len(names) != 2 {
		return nil, nil, errors.New("--compare takes two servers")
	}
	if file := c.String("servers"); file != "" {
		p, err := readProfile(file)
		if err != nil {
			return nil, nil, err
		}
		known = p.Servers
	}
	var servers []Server
	for _, name := range names {
		s, ok := known[name]
		if !ok {
			var err error
			if s, err = parseServer(name); err != nil {
				return nil, nil, err
			}
		}
		s = s.merge(flags)
		if err := s.check(); err != nil {
			return nil, nil, fmt.Errorf("server %s: %w", name, err)
		}
		servers = append(servers, s)
	}
	return servers, rest, nil
}
