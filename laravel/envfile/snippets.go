package envfile

import "strings"

// Snippets are what the operator puts into other places. They never hold a secret: those are in the environment file.
func Snippets(env string) string {
	connection := "Have this line in .env, so that Laravel broadcasts through Reverb:\n\n    BROADCAST_CONNECTION=reverb\n\n"
	if broadcaster.MatchString(env) {
		connection = ""
	}
	port := Value(env, "REVERB_SERVER_PORT")
	if strings.Trim(port, "0123456789") != "" || port == "" {
		port = "8080"
	}
	echo := echoSnippet
	if path := strings.Trim(Value(env, "REVERB_SERVER_PATH"), "/"); path != "" {
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
