// Package deploy_test checks the files that are shipped for operators as far as that goes without running them; e2e runs what it can.
package deploy_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"reverb/internal/testtool"
)

// read returns a file of this folder.
func read(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.FromSlash(name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// documents are those of a YAML file; a key that is there twice is an error of the parser's.
func documents(t *testing.T, name string) []map[string]any {
	t.Helper()
	var all []map[string]any
	for dec := yaml.NewDecoder(strings.NewReader(read(t, name))); ; {
		var doc map[string]any
		err := dec.Decode(&doc)
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		all = append(all, doc)
	}
}

// at walks down maps and lists: at(doc, "spec", "ports", 0, "port").
func at(t *testing.T, v any, path ...any) any {
	t.Helper()
	for i, step := range path {
		var ok bool
		switch step := step.(type) {
		case string:
			var m map[string]any
			if m, ok = v.(map[string]any); ok {
				v, ok = m[step]
			}
		case int:
			var l []any
			if l, ok = v.([]any); ok && step < len(l) {
				v = l[step]
			}
		}
		if !ok {
			t.Fatalf("nothing at %v", path[:i+1])
		}
	}
	return v
}

func TestYAML(t *testing.T) {
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && (strings.HasSuffix(path, ".yaml") || strings.HasSuffix(path, ".yml")) {
			if len(documents(t, filepath.ToSlash(path))) == 0 {
				t.Errorf("%s is empty", path)
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// metricName is one of ours, of the Go runtime's, or of the process's. A field of a label list may look like one and is looked up too.
var metricName = regexp.MustCompile(`\b(?:reverb|go|process)_[a-z0-9_]+\b`)

// documented are the names in docs/metrics.md, which another test compares with the code; those of the client library are there as a list.
func documented(t *testing.T) func(name string) bool {
	t.Helper()
	text := read(t, "../docs/metrics.md")
	return func(name string) bool {
		for _, suffix := range []string{"", "_bucket", "_sum", "_count"} {
			if base, ok := strings.CutSuffix(name, suffix); ok && strings.Contains(text, "`"+base+"`") {
				return true
			}
		}
		return strings.HasPrefix(name, "go_memstats_") || strings.HasPrefix(name, "go_gc_") || strings.HasPrefix(name, "process_network_")
	}
}

func TestMetricsExist(t *testing.T) {
	exists := documented(t)
	for _, name := range []string{
		"prometheus/alerts.yml", "prometheus/alerts_test.yml", "grafana/reverb.json", "kubernetes/horizontalpodautoscaler.yaml", "kubernetes/prometheus-adapter.yaml",
	} {
		used := metricName.FindAllString(read(t, name), -1)
		if len(used) == 0 {
			t.Errorf("%s uses no metric", name)
		}
		for _, metric := range used {
			if !exists(metric) {
				t.Errorf("%s: %s is not in docs/metrics.md", name, metric)
			}
		}
	}
}

// Every metric of ours is on the dashboard, so that none is only known to those who read the code.
func TestDashboardIsWhole(t *testing.T) {
	shown := read(t, "grafana/reverb.json")
	for _, row := range regexp.MustCompile("(?m)^\\| `(reverb_[a-z_]+)` \\|").FindAllStringSubmatch(read(t, "../docs/metrics.md"), -1) {
		if partial := row[1] == "reverb_relay_ignored_total" || row[1] == "reverb_relay_queries_total" ||
			row[1] == "reverb_relay_waiting_bytes" || row[1] == "reverb_pulse_up"; partial {
			continue // a panel that is read when another one shows trouble
		}
		if !strings.Contains(shown, row[1]) {
			t.Errorf("%s is not on the dashboard", row[1])
		}
	}
}

// dashboard is what the tests look at in Grafana's file.
type dashboard struct {
	Panels []struct {
		ID      int
		Title   string
		Type    string
		GridPos struct{ X, Y, W, H int }
		Targets []struct{ Expr string }
	}
}

func TestDashboard(t *testing.T) {
	var d dashboard
	if err := json.Unmarshal([]byte(read(t, "grafana/reverb.json")), &d); err != nil {
		t.Fatal(err)
	}
	seen, taken := map[int]bool{}, map[[2]int]string{}
	rules := new(strings.Builder)
	fmt.Fprint(rules, "groups:\n- name: dashboard\n  rules:\n")
	variables := strings.NewReplacer("$__rate_interval", "5m", "$job", "reverb", "$instance", "a", "$app", "1")
	for _, p := range d.Panels {
		if seen[p.ID] {
			t.Errorf("%s: its id %d is taken", p.Title, p.ID)
		}
		seen[p.ID] = true
		for x := p.GridPos.X; x < p.GridPos.X+p.GridPos.W; x++ {
			for y := p.GridPos.Y; y < p.GridPos.Y+p.GridPos.H; y++ {
				if other := taken[[2]int{x, y}]; other != "" {
					t.Fatalf("%s lies over %s", p.Title, other)
				}
				taken[[2]int{x, y}] = p.Title
			}
		}
		if p.Type != "row" && len(p.Targets) == 0 {
			t.Errorf("%s shows nothing", p.Title)
		}
		for i, target := range p.Targets {
			fmt.Fprintf(rules, "  - record: panel_%d_%d\n    expr: %q\n", p.ID, i, variables.Replace(target.Expr))
		}
	}
	file := filepath.Join(t.TempDir(), "rules.yml")
	if err := os.WriteFile(file, []byte(rules.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	promtool(t, "check", "rules", file)
}

func TestPrometheus(t *testing.T) {
	promtool(t, "check", "rules", "prometheus/alerts.yml")
	promtool(t, "check", "config", "prometheus/prometheus.yml")
	promtool(t, "test", "rules", "prometheus/alerts_test.yml")
}

func promtool(t *testing.T, args ...string) {
	t.Helper()
	if out, err := exec.Command(program(t, "promtool"), args...).CombinedOutput(); err != nil {
		t.Errorf("promtool %v: %v\n%s", args, err, out)
	}
}

// program finds what e2e/install.sh installs.
func program(t *testing.T, name string) string {
	t.Helper()
	return testtool.Find(t, name, "/usr/sbin/"+name)
}

// The settings that comments in several files promise of one another.
func TestNumbersAgree(t *testing.T) {
	for name, want := range map[string][]string{
		"supervisor/reverb.conf":        {"minfds=65536", "stopwaitsecs=30", "autorestart=true"},
		"systemd/reverb.service":        {"TimeoutStopSec=30", "Type=notify", "Restart=always", "RestartSec=300ms"},
		"docker/compose.yaml":           {"stop_grace_period: 30s"},
		"nginx/reverb.conf":             {"proxy_read_timeout 150s"},
		"nginx/stream.conf":             {"proxy_timeout 150s"},
		"haproxy/haproxy.cfg":           {"timeout tunnel 150s"},
		"haproxy/tcp.cfg":               {"timeout client 150s", "timeout server 150s"},
		"kubernetes/deployment.yaml":    {"terminationGracePeriodSeconds: 60"},
		"kubernetes/configmap.yaml":     {"predrain = 5", "drain_timeout = 30"},
		"system/90-reverb.sysctl.conf":  {"net.core.somaxconn = 16384"},
		"system/90-reverb.limits.conf":  {"nofile  1048576"},
		"docker/Dockerfile":             {"USER 65532:65532", `CMD ["/reverb", "health"]`, "FROM scratch"},
		"kubernetes/kustomization.yaml": {"deployment.yaml"},
	} {
		text := read(t, name)
		for _, line := range want {
			if !strings.Contains(text, line) {
				t.Errorf("%s: no %q", name, line)
			}
		}
	}
}

// sysctl(8) takes these lines; each has a reason above it.
func TestSysctl(t *testing.T) {
	line := regexp.MustCompile(`^-?[a-z0-9_.-]+ = [0-9 ]+$`)
	before := ""
	for i, l := range strings.Split(strings.TrimSpace(read(t, "system/90-reverb.sysctl.conf")), "\n") {
		switch {
		case l == "" || strings.HasPrefix(l, "#"):
		case !line.MatchString(l):
			t.Errorf("line %d: %q", i+1, l)
		case before == "":
			t.Errorf("line %d: no reason for %q", i+1, l)
		default:
			key, _, _ := strings.Cut(strings.TrimPrefix(l, "-"), " ")
			path := "/proc/sys/" + strings.ReplaceAll(key, ".", "/")
			if _, err := os.Stat(path); err != nil && !strings.HasPrefix(l, "-") && os.Getenv("CI") == "" {
				t.Logf("this kernel has no %s", key)
			}
		}
		before = l
	}
}

// The unit is read by systemd's own parser, with a program that exists in place of ours.
func TestSystemdUnits(t *testing.T) {
	analyze := testtool.Find(t, "systemd-analyze")
	dir := t.TempDir()
	service := filepath.Join(dir, "reverb.service")
	text := strings.NewReplacer("/usr/local/bin/reverb", "/bin/true", "man:reverb(1)", "https://example.com").Replace(read(t, "systemd/reverb.service"))
	for name, content := range map[string]string{service: text, filepath.Join(dir, "reverb.socket"): read(t, "systemd/reverb.socket")} {
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, unit := range []string{service, filepath.Join(dir, "reverb.socket")} {
		out, err := exec.Command(analyze, "verify", "--recursive-errors=no", "--man=no", unit).CombinedOutput()
		if err != nil || bytes.Contains(out, []byte(filepath.Base(unit))) {
			t.Errorf("%s: %v\n%s", filepath.Base(unit), err, out)
		}
	}
	if out, err := exec.Command(analyze, "security", "--offline=true", "--threshold=25", "--no-pager", service).CombinedOutput(); err != nil {
		t.Errorf("less hardened than 2.5 of 10: %v\n%s", err, out)
	}
}
