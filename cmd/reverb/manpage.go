package main

import "strings"

// manPage is what the page of man(1) has beside the commands and flags, which the library writes. A line that begins
// with "# " is a section, one that begins with a tab belongs to the entry above it.
const manPage = `# FILES
config.toml
	Configuration, read from the working directory unless --config names another file. Every key: docs/configuration.md.
.env
	Environment of the Laravel site, read from the working directory unless --env-file names another file, or --env another ending.
$XDG_RUNTIME_DIR/reverb-UID/reverb-PORT.sock
	Control socket of a running server, below the folder for temporary files where XDG_RUNTIME_DIR is not set. The key server.control_socket moves it.
# ENVIRONMENT
REVERB_APP_ID, REVERB_APP_KEY, REVERB_APP_SECRET
	The application that config.toml need not have.
REVERB_SERVER_HOST, REVERB_SERVER_PORT, REVERB_SERVER_PATH
	Where the server listens, and the prefix of its routes.
REVERB_HOST
	The public name of the server.
REVERB_SCALING_ENABLED, REDIS_URL, REDIS_HOST, REDIS_PORT, REDIS_USERNAME, REDIS_PASSWORD, REDIS_DB
	Several nodes, and the Redis that joins them.
GOMEMLIMIT, AUTOMEMLIMIT, GOGC
	Limit and pace of the garbage collector.
NO_COLOR
	No colours, also on a terminal.
All other names
	docs/configuration.md. A variable of the environment wins over one of .env, both over config.toml, and a flag over all of them.
# SIGNALS
SIGTERM, SIGINT
	The server sends its clients away and ends with 0. A second signal cuts the connections at once.
SIGHUP
	The server reads its configuration again, as for reverb reload.
SIGQUIT
	The server writes the state of every goroutine to its error output and ends.
# EXIT STATUS
0
	The command did what it was asked. Of start: somebody asked for the stop.
1
	It did not; the reason is on the error output. Of doctor: there are warnings, with --strict.
2
	Of doctor: there are failures.
# EXAMPLES
reverb start --host 127.0.0.1 --port 8080
	Serve the site in this folder, behind a proxy on this machine.
reverb check && reverb restart --handover
	Put a new binary or configuration into service while the port stays open.
reverb doctor --url https://ws.example.com
	Find out what is wrong between browser, proxy, server, Redis and Laravel.
reverb health --ready
	For the health check of a container.
reverb bench broadcast --subscribers 1000 --rate 10
	Measure the server of this folder.
`

// roff is manPage as a terminal's man(1) reads it.
func roff(text string) string {
	quote := strings.NewReplacer(`\`, `\e`, "-", `\-`)
	var b strings.Builder
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		section, isSection := strings.CutPrefix(line, "# ")
		detail, isDetail := strings.CutPrefix(line, "\t")
		switch {
		case isSection:
			b.WriteString("\n.SH " + section + "\n")
		case isDetail:
			b.WriteString(quote.Replace(detail) + "\n")
		default:
			b.WriteString(".TP\n\\fB" + quote.Replace(line) + "\\fP\n")
		}
	}
	return b.String()
}
