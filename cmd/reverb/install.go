package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/urfave/cli/v2"

	"reverb/internal/console"
)

func installCommand(_ process, out *console.Console) *cli.Command {
	return &cli.Command{
		Name:  "install",
		Usage: "Write the credentials of a Laravel site into its .env and show what else it needs",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "env-file", Value: ".env", Usage: "Laravel's environment `FILE`"},
		},
		Action: func(c *cli.Context) error { return install(out, envFile(c)) },
	}
}

// install does what `php artisan reverb:install` does to the environment file, and prints what it does to PHP files:
// those are the site's, in whatever form its authors gave them. Only where no line says what the site broadcasts
// through is that left to the operator, as the installer does.
func install(out *console.Console, name string) error {
	if name == "" {
		return errors.New("--env-file needs the name of a file")
	}
	full, err := filepath.Abs(name)
	if err != nil {
		full = name
	}
	before, err := os.ReadFile(name)
	created := errors.Is(err, fs.ErrNotExist)
	if err != nil && !created {
		return fmt.Errorf("read environment file %s: %w", full, bare(err))
	}
	after, added := withVariables(string(before), newVariables())
	after = withBroadcaster(after)
	if after != string(before) {
		if err := replaceFile(name, after); err != nil {
			return fmt.Errorf("write environment file %s: %w", full, bare(err))
		}
	}
	report(out, name, created, added, otherBroadcasters(string(before)))
	out.Text(snippets(after))
	out.Info("Reverb installed successfully.")
	return nil
}

// bare is the cause of an error without the name of the file, which may be that of a temporary one.
func bare(err error) error {
	if path, ok := errors.AsType[*fs.PathError](err); ok {
		return path.Err
	}
	if link, ok := errors.AsType[*os.LinkError](err); ok {
		return link.Err
	}
	return err
}

func report(out *console.Console, name string, created bool, added []string, replaced []assignment) {
	switch {
	case created:
		out.Info("The environment file " + name + " did not exist and was created.")
	case len(replaced) > 0:
		out.Info("The environment file " + name + " was changed.")
	case len(added) == 0:
		out.Info("The environment file " + name + " has all variables already and was not touched.")
	default:
		out.Info("The environment file " + name + " was completed, what it had was kept.")
	}
	isNew := map[string]bool{}
	for _, variable := range added {
		isNew[variable] = true
	}
	for _, v := range newVariables() {
		if isNew[v.name] {
			out.ColouredDetail(v.name, "added", console.Green)
		} else {
			out.ColouredDetail(v.name, "kept", console.Yellow)
		}
	}
	for _, was := range replaced {
		out.ColouredDetail(was.name, fmt.Sprintf("reverb, it was %q", was.value), console.Green)
	}
	out.Text("\n")
}

// snippets is what the operator puts into other places. It never holds a secret: those are in the environment file.
func snippets(env string) string {
	connection := "Have this line in .env, so that Laravel broadcasts through Reverb:\n\n    BROADCAST_CONNECTION=reverb\n\n"
	if broadcaster.MatchString(env) {
		connection = ""
	}
	port := variable(env, "REVERB_SERVER_PORT")
	if strings.Trim(port, "0123456789") != "" || port == "" {
		port = "8080"
	}
	echo := echoSnippet
	if path := strings.Trim(variable(env, "REVERB_SERVER_PATH"), "/"); path != "" {
		echo = strings.Replace(echo, "        forceTLS:", "        wsPath: '/"+path+"',\n        forceTLS:", 1)
	}
	return connection + broadcastingSnippet + echo + strings.ReplaceAll(nginxSnippet, "8080", port)
}

// broadcastingSnippet is the connection of Laravel's broadcaster, with the names and defaults of the framework's own.
// The PHP library joins the path with a relative address, so that all behind its last slash is lost.
const broadcastingSnippet = `Have this connection in config/broadcasting.php (Laravel 11 and later have it already, without 'path',
which only REVERB_SERVER_PATH needs: it must begin and end with a slash there):

    'reverb' => [
        'driver' => 'reverb',
        'key' => env('REVERB_APP_KEY'),
        'secret' => env('REVERB_APP_SECRET'),
        'app_id' => env('REVERB_APP_ID'),
        'options' => [
            'host' => env('REVERB_HOST'),
            'port' => env('REVERB_PORT', 443),
            'scheme' => env('REVERB_SCHEME', 'https'),
            'useTLS' => env('REVERB_SCHEME', 'https') === 'https',
            'path' => rtrim('/'.trim(env('REVERB_SERVER_PATH', ''), '/'), '/').'/',
        ],
    ],

`

const echoSnippet = `In the browser (npm install laravel-echo pusher-js):

    import Echo from 'laravel-echo';
    import Pusher from 'pusher-js';

    window.Pusher = Pusher;
    window.Echo = new Echo({
        broadcaster: 'reverb',
        key: import.meta.env.VITE_REVERB_APP_KEY,
        wsHost: import.meta.env.VITE_REVERB_HOST,
        wsPort: import.meta.env.VITE_REVERB_PORT ?? 80,
        wssPort: import.meta.env.VITE_REVERB_PORT ?? 443,
        forceTLS: (import.meta.env.VITE_REVERB_SCHEME ?? 'https') === 'https',
        enabledTransports: ['ws', 'wss'],
    });

`

const nginxSnippet = `In production, a site of Nginx in front that ends TLS (REVERB_HOST is its name then, REVERB_PORT 443, REVERB_SCHEME https):

    location / {
        proxy_pass http://127.0.0.1:8080;
        proxy_http_version 1.1;
        proxy_set_header Host $http_host;
        proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
        proxy_set_header X-Forwarded-Proto $scheme;
        proxy_set_header Upgrade $http_upgrade;
        proxy_set_header Connection "Upgrade";
        proxy_read_timeout 180s; # longer than ping_interval
    }

`
