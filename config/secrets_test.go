package config_test

import (
	"slices"
	"testing"

	"reverb/config"
)

func TestSecretName(t *testing.T) {
	for name, want := range map[string]bool{
		"REVERB_APP_SECRET": true, "REVERB_APP_PREVIOUS_SECRETS": true, "REDIS_PASSWORD": true, "APP_KEY": true, "APP_PREVIOUS_KEYS": true,
		"AWS_ACCESS_KEY_ID": true, "shared_secret": true, "accessToken": true, "api-key": true, "x-api-key": true, "Set-Cookie": true,
		"pass": true, "DB_PASS": true, "dbPass": true, "userPWD": true, "pwd": true, "jwt": true, "otp": true, "pin": true, "cvv": true, "_csrf": true,
		"sessionId": true, "session": true, "PHPSESSION_ID": true, "webhook_key": true, "signingKey": true, "passcode": true,
		"SESSION_DRIVER": false, "SESSION_LIFETIME": false, "compass": false, "bypass": false, "spin": false, "option": false, "PINNED": false,
		"passenger": false, "é": false, "Pass\u00e9": false,
		"auth_signature": true, "password_confirmation": true, "privateKey": true,
		"REVERB_APP_KEY": false, "VITE_REVERB_APP_KEY": false, "PUSHER_APP_KEY": false, "REVERB_APP_PREVIOUS_KEYS": false,
		"APP_NAME": false, "author": false, "key": false, "channel": false, "": false,
	} {
		if got := config.SecretName(name); got != want {
			t.Errorf("SecretName(%q) = %v, want %v", name, got, want)
		}
	}
}

func TestSecrets(t *testing.T) {
	c := load(t, "[server.tls]\npassphrase = \"of-the-key\"\ncert = \"c\"\nkey = \"k\"\n[scaling.redis]\nurl = \"redis://user:of-redis@host:1/0\"\n"+
		"[scaling.redis.sentinel]\npassword = \"of-sentinel\"\n[database]\nurl = \"mysql://u:of-database@h/n\"\n[pulse]\ndatabase_url = \"mysql://u:of-pulse@h/n\"\n"+
		"[dashboard]\npassword_hash = \"$2a$10$abcdefghijklmnopqrstuuO1Yy6Xh5m8lGd6m1nKZ1cE5xWw2dS2e\"\nusername = \"u\"\n"+
		oneApp+"previous_secrets = [\"old-1\", \"old-2\"]\n")
	got := c.Secrets()
	for _, want := range []string{"s", "old-1", "old-2", "of-the-key", "of-redis", "of-sentinel", "of-database", "of-pulse", c.Dashboard.PasswordHash} {
		if !slices.Contains(got, want) {
			t.Errorf("%q is not among %q", want, got)
		}
	}
	if slices.Contains(got, "k") {
		t.Errorf("the key is among %q", got)
	}
}
