package config_test

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"reverb/config"
)

func TestEveryVariable(t *testing.T) {
	c := load(t, "",
		"REVERB_SERVER=reverb", "REVERB_PORT=nonsense", "REVERB_SCHEME=https", "REVERB_PULSE_INGEST_INTERVAL=x", "PATH=/bin",
		"REVERB_SERVER_HOST=::1", "REVERB_SERVER_PORT=0", "REVERB_SERVER_PATH=ws", "REVERB_HOST=app.test",
		"REVERB_MAX_REQUEST_SIZE=1", "REVERB_APP_ID=5", "REVERB_APP_KEY=k", "REVERB_APP_SECRET=s",
		"REVERB_APP_PING_INTERVAL=2", "REVERB_APP_ACTIVITY_TIMEOUT=3", "REVERB_APP_MAX_CONNECTIONS=4",
		"REVERB_APP_MAX_MESSAGE_SIZE=0", "REVERB_APP_ACCEPT_CLIENT_EVENTS_FROM=all",
		"REVERB_APP_RATE_LIMITING_ENABLED=1", "REVERB_APP_RATE_LIMIT_MAX_ATTEMPTS=6",
		"REVERB_APP_RATE_LIMIT_DECAY_SECONDS=7", "REVERB_APP_RATE_LIMIT_TERMINATE=(true)",
		"REVERB_SCALING_ENABLED=on", "REVERB_SCALING_CHANNEL=c", "REDIS_HOST=h", "REDIS_PORT=8", "REDIS_USERNAME=u",
		"REDIS_PASSWORD=p", "REDIS_DB=9", "REDIS_TIMEOUT=10", "REDIS_URL=")

	if s := c.Server; s.Host != "::1" || s.Port != 0 || s.Path != "ws" || s.Hostname != "app.test" || s.MaxRequestSize != 1 ||
		s.Address() != "[::1]:0" || s.ControlSocket != "" {
		t.Errorf("Server = %+v", s)
	}
	app := config.NewApp("5", "k", "s")
	app.PingInterval, app.ActivityTimeout, app.MaxConnections, app.MaxMessageSize = 2*time.Second, 3, 4, 0
	app.AcceptClientEventsFrom = "all"
	app.RateLimit = config.RateLimit{Enabled: true, MaxAttempts: 6, Decay: 7 * time.Second, TerminateOnLimit: true}
	if !reflect.DeepEqual(c.Apps, config.Apps{app}) {
		t.Errorf("app = %+v, want %+v", c.Apps[0], app)
	}
	want := config.Default().Scaling
	want.Enabled, want.Channel = true, "c"
	want.Redis = config.Redis{
		Host: "h", Port: 8, Username: "u", Password: "p", Database: "9", Timeout: 10 * time.Second, Prefix: "reverb",
	}
	if !reflect.DeepEqual(c.Scaling, want) {
		t.Errorf("Scaling = %+v, want %+v", c.Scaling, want)
	}
}

func TestPrecedence(t *testing.T) {
	s := source(t, "[server]\nhost = \"file\"\nport = 1\npath = \"file\"\nhostname = \"file\"\n"+oneApp)
	s.EnvFile = write(t, ".env", "\nREVERB_SERVER_PORT=2\nREVERB_SERVER_PATH=dotenv\nREVERB_HOST=dotenv\n")
	s.Environ = []string{"REVERB_SERVER_PATH=environ", "REVERB_HOST=environ"}
	s.Flags = map[string]string{"hostname": "flag", "path": "", "port": "0"}
	c, err := config.Load(s)
	if err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]config.Entry{
		"server.host":             {Value: `"file"`, Source: s.File + ":2"},
		"server.port":             {Value: "2", Source: s.EnvFile + ":2 REVERB_SERVER_PORT"},
		"server.path":             {Value: `"environ"`, Source: "environment REVERB_SERVER_PATH"},
		"server.hostname":         {Value: `"flag"`, Source: "command line --hostname"},
		"server.max_request_size": {Value: "10000", Source: "default"},
	} {
		want.Key = key
		if got := value(t, c, key); got != want {
			t.Errorf("got %+v, want %+v", got, want)
		}
	}
}

func TestWordsAndBlanks(t *testing.T) {
	limited := oneApp + "max_connections = 7\nping_interval = 8\n[apps.rate_limiting]\nenabled = true\n[scaling.redis]\npassword = \"p\"\n"
	cases := []struct{ variable, key, want string }{
		{"REVERB_APP_MAX_CONNECTIONS=", "apps[0].max_connections", "0"},
		{"REVERB_APP_MAX_CONNECTIONS=null", "apps[0].max_connections", "0"},
		{"REVERB_APP_MAX_CONNECTIONS=(EMPTY)", "apps[0].max_connections", "0"},
		{"REVERB_APP_MAX_CONNECTIONS=' 9 '", "apps[0].max_connections", "9"},
		{"REVERB_APP_PING_INTERVAL=", "apps[0].ping_interval", "8"},
		{"REVERB_SERVER_HOST=null", "server.host", `"0.0.0.0"`},
		{"REVERB_APP_KEY=", "apps[0].key", `"k"`},
		{"REVERB_APP_KEY=\"'quoted\"", "apps[0].key", ""},
		{"REDIS_PASSWORD=null", "scaling.redis.password", `""`},
		{"REDIS_PASSWORD=secret", "scaling.redis.password", "********"},
		{"REVERB_APP_RATE_LIMITING_ENABLED=", "apps[0].rate_limiting.enabled", "false"},
		{"REVERB_APP_RATE_LIMITING_ENABLED=(False)", "apps[0].rate_limiting.enabled", "false"},
		{"REVERB_APP_RATE_LIMITING_ENABLED=Off", "apps[0].rate_limiting.enabled", "false"},
		{"REVERB_APP_RATE_LIMITING_ENABLED=2", "apps[0].rate_limiting.enabled", "true"},
		{"REVERB_APP_RATE_LIMITING_ENABLED=enabled", "apps[0].rate_limiting.enabled", "true"},
		{"REVERB_APP_RATE_LIMIT_TERMINATE=YES", "apps[0].rate_limiting.terminate_on_limit", "true"},
		{"REVERB_APP_RATE_LIMIT_TERMINATE=maybe", "apps[0].rate_limiting.terminate_on_limit", ""},
		{"REVERB_APP_MAX_MESSAGE_SIZE=10k", "apps[0].max_message_size", ""},
		{"REVERB_APP_ACTIVITY_TIMEOUT=99999999999999999999", "apps[0].activity_timeout", ""},
		{"REDIS_PORT=6379/tcp", "scaling.redis.port", "6379"}, // scaling is off
		{"REDIS_URL=unix:///run/redis.sock", "scaling.redis.host", `"/run/redis.sock"`},
		{"REDIS_URL=unix:relative.sock", "scaling.redis.host", `"127.0.0.1"`},
	}
	for _, tc := range cases {
		t.Run(tc.variable, func(t *testing.T) {
			if tc.want != "" {
				if got := value(t, load(t, limited, tc.variable), tc.key).Value; got != tc.want {
					t.Errorf("%s = %s, want %s", tc.key, got, tc.want)
				}
				return
			}
			_, err := config.Load(source(t, limited, tc.variable))
			name, _, _ := strings.Cut(tc.variable, "=")
			if err == nil || !strings.HasPrefix(err.Error(), "environment: "+name) || strings.Contains(err.Error(), "\n") {
				t.Errorf("error %v, want one line about %s", err, name)
			}
		})
	}
}

func TestWrongRedisCountsWhenScalingIsOn(t *testing.T) {
	for _, variable := range []string{"REDIS_PORT=6379/tcp", "REDIS_PORT=0", "REDIS_URL=unix:relative.sock", "REDIS_DB=a"} {
		_, err := config.Load(source(t, oneApp, "REVERB_SCALING_ENABLED=true", variable))
		name, _, _ := strings.Cut(variable, "=")
		if err == nil || !strings.HasPrefix(err.Error(), "environment: "+name) {
			t.Errorf("error %v, want one about %s", err, name)
		}
	}
}

func TestWhichAppTheVariablesAreAbout(t *testing.T) {
	const file = "[[apps]]\napp_id = \"a\"\nkey = \"ka\"\nsecret = \"sa\"\n[[apps]]\napp_id = \"b\"\nkey = \"kb\"\nsecret = \"sb\"\n"
	cases := map[string]struct {
		file    string
		environ string
		want    string // id:key:secret:max_connections of each app
	}{
		"nothing set":   {file, "", "a:ka:sa:0 b:kb:sb:0"},
		"options only":  {file, "REVERB_APP_MAX_CONNECTIONS=5", "a:ka:sa:5 b:kb:sb:0"},
		"by id":         {file, "REVERB_APP_ID=b REVERB_APP_SECRET=new REVERB_APP_MAX_CONNECTIONS=5", "a:ka:sa:0 b:kb:new:5"},
		"by key":        {file, "REVERB_APP_ID=c REVERB_APP_KEY=kb", "a:ka:sa:0 c:kb:sb:0"},
		"neither":       {file, "REVERB_APP_ID=c REVERB_APP_KEY=kc REVERB_APP_SECRET=sc", "c:kc:sc:0 b:kb:sb:0"},
		"no app":        {"", "REVERB_APP_ID=c REVERB_APP_KEY=kc REVERB_APP_SECRET=sc", "c:kc:sc:0"},
		"split":         {"[[apps]]\nmax_connections = 3", "REVERB_APP_ID=c REVERB_APP_KEY=kc REVERB_APP_SECRET=sc", "c:kc:sc:3"},
		"half an app":   {"", "REVERB_APP_ID=c REVERB_APP_KEY=kc", "environment: apps[0].secret: is missing"},
		"no app at all": {"", "REVERB_APP_MAX_CONNECTIONS=5", "no app is configured: run `reverb install`"},
		"key of other":  {file, "REVERB_APP_ID=a REVERB_APP_KEY=kb", `apps[1].key = "kb": want another than apps[0] has`},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			c, err := config.Load(source(t, tc.file, strings.Fields(tc.environ)...))
			if err != nil {
				if !strings.Contains(err.Error(), tc.want) {
					t.Errorf("error %v, want %s", err, tc.want)
				}
				return
			}
			var got []string
			for _, app := range c.Apps {
				got = append(got, strings.Join([]string{app.ID, app.Key, app.Secret, string(rune('0' + app.MaxConnections))}, ":"))
			}
			if s := strings.Join(got, " "); s != tc.want {
				t.Errorf("apps %s, want %s", s, tc.want)
			}
		})
	}
}

func TestNoAppNamesTheFiles(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	if err := os.WriteFile(".env", []byte("APP_NAME=Lab\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := config.Load(config.Source{})
	want := ". Looked at " + filepath.Join(dir, "config.toml") + " (not there) and " + filepath.Join(dir, ".env") + " (no app in it)"
	if !errors.Is(err, config.ErrNoApp) || !strings.HasSuffix(err.Error(), want) {
		t.Errorf("error %v, want ErrNoApp and%s", err, want)
	}
}

func TestRedisURL(t *testing.T) {
	const parts = oneApp + "[scaling.redis]\nusername = \"u\"\npassword = \"p\"\ndatabase = 3\nurl = "
	cases := map[string]config.Redis{
		`"redis://h"`:                    {Host: "h", Port: 6379, Username: "u", Password: "p", Database: "3"},
		`"tcp://h:1/"`:                   {Host: "h", Port: 1, Username: "u", Password: "p", Database: "3"},
		`"rediss://a:b@h:2/5"`:           {Host: "h", Port: 2, Username: "a", Password: "b", Database: "5", Encrypted: true},
		`"tls://:b%40c@[::1]"`:           {Host: "::1", Port: 6379, Password: "b@c", Database: "3", Encrypted: true},
		`"redis://h/2?database=4"`:       {Host: "h", Port: 6379, Username: "u", Password: "p", Database: "4"},
		`"unix:///s"`:                    {Host: "/s", Path: "/s", Username: "u", Password: "p", Database: "3"},
		`"unix://a:b@/run/s?database=9"`: {Host: "/run/s", Path: "/run/s", Username: "a", Password: "b", Database: "9"},
		`"redis://h?timeout=9"`:          {Host: "h", Port: 6379, Username: "u", Password: "p", Database: "3"},
	}
	for url, want := range cases {
		got := load(t, parts+url).Scaling.Redis
		got.URL, got.Timeout, got.Prefix = "", 0, ""
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, want %+v", url, got, want)
		}
	}
	for _, url := range []string{`"h:6379"`, `"redis://"`, `"redis://h:0"`, `"redis://h:70000"`, `"redis://h/x"`, `"redis://%"`, `"unix://host/s"`, `"unix:s"`, `"unix:///s?database=x"`} {
		if _, err := config.Load(source(t, parts+url)); err == nil {
			t.Errorf("%s: no error", url)
		}
	}
}
