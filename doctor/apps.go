package doctor

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"reverb/config"
)

const (
	shortSecret = 16 // characters: fewer than these can be guessed; `reverb install` makes 20
	shortKey    = 8
)

// knownSecrets are those of manuals, tutorials and test suites, which anybody tries first.
var knownSecrets = []string{"app-secret", "reverb-secret", "my-app-secret", "your-app-secret", "your-reverb-secret", "laravel-secret", "local-secret", "changeme", "change-me", "password", "secret"}

// applications is the part about the apps: their secrets and origins.
type applications struct{ *examination }

// check looks at credentials and origins.
func (e applications) check() {
	if !e.usable {
		e.skip("apps.secret", "Credentials", "the configuration cannot be used")
		return
	}
	before := e.report.Warnings + e.report.Failures
	seen := map[string]string{}
	for _, app := range e.cfg.Apps {
		e.checkSecret(app)
		if other, ok := seen[app.Secret]; ok {
			e.warn("apps.shared", "Secret of "+app.ID, "it is that of "+other+" too", "whoever has the secret of one application can publish as the other", "config.toml: another secret in [[apps]] of "+app.ID)
		}
		seen[app.Secret] = app.ID
		e.checkOrigins(app)
	}
	if app := e.app(); app == nil {
		e.fail("apps.enabled", "Applications", "none is enabled", "every connection is refused with 4003", "config.toml: [[apps]] enabled = true")
	}
	if e.report.Warnings+e.report.Failures == before {
		e.ok("apps.secret", "Credentials", "long enough, secrets differ")
	}
}

func (e applications) checkSecret(app *config.App) {
	fix := []string{"openssl rand -hex 16 # makes one", "REVERB_APP_SECRET in .env, or secret of the app in config.toml; then restart Laravel's workers and this server"}
	const why = "whoever guesses the secret publishes to every user and reads every private channel"
	switch title := "Secret of " + app.ID; {
	case app.Secret == app.Key:
		e.fail("apps.secret", title, "it is the key", "the key is public: "+why, fix...)
	case slices.Contains(knownSecrets, strings.ToLower(app.Secret)):
		e.warn("apps.secret", title, "it is one that manuals print", why, fix...)
	case len(app.Secret) < shortSecret:
		e.warn("apps.secret", title, fmt.Sprintf("it has fewer than %d characters", shortSecret), why, fix...)
	}
	if len(app.Key) < shortKey {
		e.warn("apps.key", "Key of "+app.ID, fmt.Sprintf("it has fewer than %d characters", shortKey), "others find it by trying, and use up max_connections",
			"openssl rand -hex 10 # makes one, for REVERB_APP_KEY and VITE_REVERB_APP_KEY")
	}
}

// checkOrigins: the site's own pages must be let in. Only plain entries and the star are judged; the round trip tries
// the rest.
func (e applications) checkOrigins(app *config.App) {
	host := e.appURLHost()
	switch {
	case !app.Enabled:
	case len(app.AllowedOrigins) == 0:
		e.fail("apps.origins", "Origins of "+app.ID, "allowed_origins is empty", "every browser is refused with 4009", `config.toml: allowed_origins = ["*"] or the hosts of the site`)
	case host != "" && len(e.cfg.Apps) == 1 && !slices.ContainsFunc(app.AllowedOrigins, func(o string) bool { return o == host || strings.Contains(o, "*") }):
		e.fail("apps.origins", "Origins of "+app.ID, fmt.Sprintf("%s of APP_URL is not among %s", host, short(strings.Join(app.AllowedOrigins, ", "))), "the site's own pages are refused with 4009; entries are hosts, without scheme and port",
			fmt.Sprintf("config.toml: allowed_origins = [%q]", host))
	}
}

// app is that of the round trip, nil when there is none.
func (e *examination) app() *config.App {
	for _, app := range e.cfg.Apps {
		if app.Enabled && (e.o.App == "" || e.o.App == app.ID) {
			return app
		}
	}
	return nil
}

func sortedNames[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
