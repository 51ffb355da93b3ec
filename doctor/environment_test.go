package doctor_test

import (
	"strings"
	"testing"

	"reverb/doctor"
)

func TestEnvironment(t *testing.T) {
	for _, c := range []struct {
		name   string
		change map[string]string // variable to its new line; "" takes it away
		config string
		check  string
		status doctor.Status
		says   string
	}{
		{"fine", nil, "", "env.consistent", doctor.OK, "https://ws.shop.test"},
		{"no broadcaster", map[string]string{"BROADCAST_CONNECTION": ""}, "", "env.broadcaster", doctor.Warning, "BROADCAST_CONNECTION=reverb"},
		{"other broadcaster", map[string]string{"BROADCAST_CONNECTION": "log"}, "", "env.broadcaster", doctor.Failure, ".env:3: BROADCAST_CONNECTION=reverb"},
		{"no host", map[string]string{"REVERB_HOST": ""}, "", "env.host", doctor.Failure, ""},
		{"URL as host", map[string]string{"REVERB_HOST": "https://ws.shop.test:443/x"}, "", "env.host", doctor.Failure, "REVERB_HOST=ws.shop.test"},
		{"host to listen on", map[string]string{"REVERB_HOST": "0.0.0.0"}, "", "env.host", doctor.Failure, "REVERB_SERVER_HOST=0.0.0.0"},
		{"localhost in production", map[string]string{"REVERB_HOST": "localhost"}, "", "env.host", doctor.Warning, "visitors"},
		{"https on 80", map[string]string{"REVERB_PORT": "80"}, "", "env.scheme", doctor.Failure, "REVERB_PORT=443"},
		{"http on 443", map[string]string{"REVERB_SCHEME": "http"}, "", "env.scheme", doctor.Failure, "REVERB_SCHEME=https"},
		{"wss as scheme", map[string]string{"REVERB_SCHEME": "wss"}, "", "env.scheme", doctor.Failure, "https only"},
		{"https on the plain port", map[string]string{"REVERB_PORT": "8080"}, "", "env.scheme", doctor.Failure, "[server.tls]"},
		{"no port for http", map[string]string{"REVERB_SCHEME": "http", "REVERB_PORT": ""}, "", "env.scheme", doctor.Warning, "REVERB_PORT=80"},
		{"no port", map[string]string{"REVERB_PORT": "many"}, "", "env.port", doctor.Failure, ""},
		{"insecure from a secure page", map[string]string{"REVERB_SCHEME": "http", "REVERB_PORT": "8080"}, "", "env.mixed", doctor.Failure, "REVERB_SCHEME=https"},
		{"listens on loopback only", map[string]string{"REVERB_SCHEME": "http", "REVERB_PORT": "8080", "REVERB_SERVER_HOST": "127.0.0.1"}, "", "env.listen", doctor.Failure, "REVERB_SERVER_HOST=0.0.0.0"},
		{"listens on a name", map[string]string{"REVERB_SERVER_HOST": "ws.shop.test"}, "", "env.listen", doctor.Warning, "0.0.0.0"},
		{"other key in the front end", map[string]string{"VITE_REVERB_APP_KEY": "other"}, "", "env.vite", doctor.Failure, "4001"},
		{"no key in the front end", map[string]string{"VITE_REVERB_APP_KEY": ""}, "", "env.vite", doctor.Failure, "VITE_REVERB_APP_KEY"},
		{"other host in the front end", map[string]string{"VITE_REVERB_HOST": "old.shop.test"}, "", "env.vite", doctor.Warning, "npm run build"},
		{"name that is not there", map[string]string{"VITE_REVERB_PORT": "${REVERB_PROT}"}, "", "env.vite", doctor.Failure, "${REVERB_PROT}"},
		{"secret in the front end", map[string]string{"VITE_REVERB_APP_SECRET": "${REVERB_APP_SECRET}"}, "", "env.exposed", doctor.Failure, "remove VITE_REVERB_APP_SECRET"},
		{"secret under another name", map[string]string{"VITE_SIGN": appSecret}, "", "env.exposed", doctor.Failure, "VITE_SIGN"},
		{"short secret", map[string]string{"REVERB_APP_SECRET": "abc123"}, "", "apps.secret", doctor.Warning, "openssl"},
		{"secret of a manual", map[string]string{"REVERB_APP_SECRET": "my-app-secret"}, "", "apps.secret", doctor.Warning, "manuals"},
		{"secret is the key", map[string]string{"REVERB_APP_SECRET": appKey}, "", "apps.secret", doctor.Failure, "public"},
		{"short key", map[string]string{"REVERB_APP_KEY": "app"}, "", "apps.key", doctor.Warning, ""},
		{"origins", nil, "[[apps]]\napp_id = \"1\"\nkey = \"" + appKey + "\"\nsecret = \"" + appSecret + "\"\nallowed_origins = [\"other.test\"]\n", "apps.origins", doctor.Failure, `allowed_origins = ["shop.test"]`},
		{"disabled", nil, "[[apps]]\napp_id = \"1\"\nkey = \"" + appKey + "\"\nsecret = \"" + appSecret + "\"\nenabled = false\n", "apps.enabled", doctor.Failure, "4003"},
	} {
		t.Run(c.name, func(t *testing.T) {
			expect(t, run(t, options(t, changed(c.change), c.config)), c.check, c.status, c.says)
		})
	}
}

// changed is site with other values.
func changed(change map[string]string) string {
	var b strings.Builder
	done := map[string]bool{}
	for line := range strings.Lines(site) {
		name, _, _ := strings.Cut(line, "=")
		value, ok := change[name]
		done[name] = true
		switch {
		case !ok:
			b.WriteString(line)
		case value != "":
			b.WriteString(name + "=" + value + "\n")
		}
	}
	for name, value := range change {
		if !done[name] {
			b.WriteString(name + "=" + value + "\n")
		}
	}
	return b.String()
}

func TestNoSite(t *testing.T) {
	r := run(t, options(t, "", "[[apps]]\napp_id = \"1\"\nkey = \""+appKey+"\"\nsecret = \""+appSecret+"\"\n"))
	expect(t, r, "env.read", doctor.Skipped, "no Laravel site")
	expect(t, r, "public.upgrade", doctor.Skipped, "REVERB_HOST")
	if r.Status != doctor.OK {
		t.Errorf("report %+v", r)
	}
}

// Secrets of before a rotation are as good as the present one, and no finding shows any: those of a variable and those
// of config.toml.
func TestPreviousSecretsAreHidden(t *testing.T) {
	for name, o := range map[string]doctor.Options{
		"variable": options(t, "REVERB_APP_KEY=k\nREVERB_APP_PREVIOUS_SECRETS=an-old-one,older-still\nREVERB_HOST=older-still/x\n", ""),
		"file": options(t, "REVERB_HOST=older-still/x\n",
			"[[apps]]\napp_id = \"1\"\nkey = \""+appKey+"\"\nsecret = \""+appSecret+"\"\nprevious_secrets = [\"an-old-one\", \"older-still\"]\n"),
	} {
		t.Run(name, func(t *testing.T) {
			f := find(t, run(t, o), "env.host")
			if f.Status != doctor.Failure || strings.Contains(f.What+strings.Join(f.Fix, " "), "older-still") || !strings.Contains(f.What, "********/x") {
				t.Errorf("finding %+v", f)
			}
		})
	}
}
