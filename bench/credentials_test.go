package bench_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"reverb/bench"
	"reverb/internal/testclient"
)

// A wrong key or secret is one sentence, before anything is measured.
func TestWrongCredentials(t *testing.T) {
	server := testclient.Start(t, bin, testclient.Options{Config: "[server]\nhost = \"127.0.0.1\"\nport = 0\n", DotEnv: "REVERB_APP_ID=1\nREVERB_APP_KEY=k\nREVERB_APP_SECRET=s\n"})
	for name, tc := range map[string]struct {
		args []string
		want string
	}{
		"key":    {[]string{"--key", "wrong"}, "knows no app with the key wrong: give --key, --secret and --app-id, or run it in the folder of the site's .env"},
		"secret": {[]string{"--secret", "wrong"}, "refused the signature: it has another secret for app "},
		"app":    {[]string{"--app-id", "wrong"}, "knows no app wrong, or has its routes below a --path: "},
	} {
		t.Run(name, func(t *testing.T) {
			args := []string{"idle", "--addr", server.Addr, "--app-id", "1", "--key", "k", "--secret", "s", "--duration", "1s"}
			out, err := command(t, bench.Process{}, append(args, tc.args...)...)
			if err == nil || !strings.Contains(err.Error(), tc.want) || strings.Contains(err.Error(), "\n") || out != "" {
				t.Errorf("error %v, want %q and no result:\n%s", err, tc.want, out)
			}
		})
	}
}

func TestSiteIsTheDefault(t *testing.T) {
	f := newFake(t, func(_ int, frame string, send func(string)) { send(frame) })
	f.asked = http.StatusUnauthorized
	var asked string
	p := bench.Process{Site: func(envFile string) (bench.Server, bool) {
		asked = envFile
		return bench.Server{Addr: f.Listener.Addr().String(), AppID: "site", Key: "k", Secret: "s"}, true
	}}
	if _, err := command(t, p, "idle", "--env-file", ".env.site"); err == nil || !strings.Contains(err.Error(), "another secret for app site") {
		t.Errorf("error %v", err)
	}
	if asked != ".env.site" {
		t.Errorf("asked for %q", asked)
	}
	if _, err := command(t, p, "idle", "--app-id", "mine"); err == nil || !strings.Contains(err.Error(), "another secret for app mine") {
		t.Errorf("a flag does not win: %v", err)
	}
	if _, err := command(t, p, "idle", "--compare", "127.0.0.1:1,127.0.0.1:2"); err == nil || strings.Contains(err.Error(), "app site") {
		t.Errorf("the site counts for servers that have a name: %v", err)
	}
}

func TestPageIsNamed(t *testing.T) {
	t.Chdir(t.TempDir())
	f := newFake(t, func(_ int, frame string, send func(string)) { send(frame) })
	out, err := command(t, bench.Process{}, "idle", "--addr", f.Listener.Addr().String(), "--connections", "1", "--duration", "100ms", "--html", "page.html")
	if err != nil {
		t.Fatal(err)
	}
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	if want := "The page with the charts: file://" + filepath.Join(dir, "page.html") + "\n"; !strings.HasSuffix(out, want) {
		t.Errorf("the output does not end with %q:\n%s", want, out)
	}
}
