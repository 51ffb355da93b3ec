package config_test

import (
	"strings"
	"testing"
	"time"

	"reverb/config"
)

// An app says by itself what is wrong with it, wherever it comes from.
func TestViolations(t *testing.T) {
	limits := config.Default().Server.Limits
	tests := []struct {
		name   string
		change func(a *config.App)
		want   string // key and text; "" = nothing is wrong
	}{
		{"defaults", func(*config.App) {}, ""},
		{"no secret", func(a *config.App) { a.Secret = "" }, "secret: is missing: want a non-empty string"},
		{"id of a path", func(a *config.App) { a.ID = "a/b" }, `app_id = "a/b": want letters, digits and - . _ ~, it is a part of URLs`},
		{"key with a blank", func(a *config.App) { a.Key = "a b" }, `key = "a b": want letters, digits and - . _ ~, it is a part of URLs`},
		{"unknown word", func(a *config.App) { a.AcceptClientEventsFrom = "some" }, `accept_client_events_from = "some": want one of "members", "all", "none"`},
		{"unknown profile", func(a *config.App) { a.Profile = "ably" }, `profile = "ably": want one of "reverb", "pusher"`},
		{"negative limit", func(a *config.App) { a.MaxConnections = -1 }, "max_connections = -1: want a whole number from 0 to 2147483647"},
		{"no ping", func(a *config.App) { a.PingInterval = 0 }, "ping_interval = 0: want a whole number of seconds from 1 to 86400"},
		{"half a second", func(a *config.App) { a.RateLimit.Decay = 1500 * time.Millisecond }, "rate_limiting.decay_seconds = 1: want a whole number of seconds from 1 to 86400"},
		{"empty origin", func(a *config.App) { a.AllowedOrigins = []string{"*", ""} }, `allowed_origins = ["*", ""]: want a list of non-empty strings`},
		{"secret is not shown", func(a *config.App) { a.Secret = "hush\n" }, "secret: the value is not allowed: want a non-empty string"},
		{"five previous secrets", func(a *config.App) { a.PreviousSecrets = strings.Split("abcde", "") }, "previous_secrets: has 5 values: want at most 4"},
		{"larger than the node allows", func(a *config.App) { a.MaxMessageSize = limits.MaxMessageSize + 1 }, "max_message_size = 16777217: want at most server.limits.max_message_size, which is 16777216"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			app := config.NewApp("1", "key", "secret")
			tt.change(app)
			var got []string
			for _, v := range app.Violations(limits) {
				got = append(got, v.Key+v.Text)
			}
			if text := strings.Join(got, "\n"); text != tt.want {
				t.Errorf("got %q, want %q", text, tt.want)
			}
		})
	}
}

func TestViolationsOfSeveral(t *testing.T) {
	a, b, c := config.NewApp("1", "k1", "s"), config.NewApp("2", "k2", "s"), config.NewApp("1", "k2", "s")
	a.PreviousKeys, c.Rules.MaxBatch = []string{"k2"}, -1
	var got []string
	for _, v := range (config.Apps{a, b, c}).Violations(config.Default().Server.Limits) {
		got = append(got, string(rune('a'+v.App))+" "+v.Key+v.Text)
	}
	want := []string{
		"c max_batch = -1: want a whole number from 0 to 2147483647",
		`c app_id = "1": want another than apps[0] has`,
		`c key = "k2": want another than apps[1] has`,
		`a previous_keys has "k2": want another than apps[2] has`,
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got %q\nwant %q", got, want)
	}
}
