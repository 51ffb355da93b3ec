// Package house_test keeps the rules of the house: which package may import which, and how long things may grow.
package house_test

import (
	"bufio"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const (
	root        = "../.."
	maxFile     = 400 // lines
	maxFunction = 60  // lines
)

// mayImport is the dependency rule, package to packages of ours. cmd/reverb may import all and be imported by none.
var mayImport = map[string][]string{
	"config":                  {"internal/account", "internal/nearest"},
	"protocol":                {"outbound"},
	"metrics":                 {},
	"internal/logging":        {},
	"outbound":                {},
	"transport":               {"outbound"},
	"transport/transporttest": {"outbound", "transport"},
	"facts":                   {},
	"channels":                {"facts", "outbound", "protocol", "transport"},
	"poller":                  {"internal/logging", "metrics", "outbound", "transport"},
	"scaling":                 {"outbound", "protocol", "metrics"},
	"scaling/bus":             {"internal/logging", "scaling/redis", "scaling/bus/publish", "scaling/bus/subscribe"},
	"scaling/bus/publish":     {"internal/logging", "scaling/redis", "internal/fifo"},
	"scaling/bus/subscribe":   {"scaling/redis", "internal/fifo"},
	"scaling/redis":           {},
	"scaling/cluster":         {"internal/logging", "scaling", "scaling/bus", "scaling/cluster/roster", "outbound", "protocol", "metrics", "internal/fifo"},
	"scaling/cluster/roster":  {"protocol"},
	"server":                  {"internal/logging", "outbound", "transport", "channels", "scaling", "protocol", "config", "metrics"},
	"api":                     {"internal/logging", "server", "channels", "protocol", "config", "metrics"},
	"bench":                   {"bench/client", "bench/measure", "bench/report"},
	"bench/client":            {},
	"bench/measure":           {"bench/unit"},
	"bench/report":            {"bench/measure", "bench/unit"},
	"bench/unit":              {},
	"doctor":                  {"config", "protocol"},
	"internal/fifo":           {},
	"internal/testclient":     {},
	"internal/nearest":        {},
	"internal/redistest":      {"internal/testtool"},
	"internal/sqltest":        {"internal/testtool"},
	"internal/testtool":       {},
	"node/handover":           {"internal/envlist"},
	"node/journal":            {"config", "internal/console", "internal/logging", "protocol"},
	"internal/console":        {"internal/envlist", "internal/logging"},
	"internal/account":        {},
	"internal/envlist":        {},
	"internal/listener":       {"internal/logging"},
	"node/certificate":        {"config"},
	"laravel/envfile":         {},
	"laravel/php":             {},
	"laravel/database":        {"config"},
	"laravel/restart":         {"config", "laravel/database"},
	"laravel/pulse":           {"config", "laravel/database", "laravel/php", "metrics"},
	"scaling/phpnodes":        {"internal/logging", "scaling", "scaling/bus", "scaling/cluster", "laravel/php", "outbound", "protocol", "metrics"},
	"management":              {"config", "internal/account", "internal/envlist", "internal/listener", "node/handover"},
	"management/dashboard":    {"management", "server", "channels", "config", "metrics", "protocol"},
	"node": {
		"api", "channels", "config", "internal/listener", "laravel/pulse", "laravel/restart", "management", "management/dashboard", "metrics",
		"node/certificate", "node/handover", "node/journal", "outbound", "poller", "protocol", "scaling", "scaling/bus", "scaling/cluster",
		"scaling/phpnodes", "server",
	},
}

// onlyIn says which package alone may import a module.
var onlyIn = map[string][]string{
	"github.com/cloudwego/netpoll":   {"poller"},
	"github.com/gobwas/ws":           {"poller", "protocol", "doctor", "internal/testclient", "deploy/try"},
	"github.com/redis/rueidis":       {"scaling/bus", "scaling/bus/publish", "scaling/bus/subscribe", "scaling/redis", "laravel/pulse", "laravel/restart", "laravel/database"},
	"github.com/go-sql-driver/mysql": {"laravel/database"},
	"github.com/jackc/pgx/v5":        {"laravel/database"},
	"modernc.org/sqlite":             {"laravel/database"},
	"github.com/BurntSushi/toml":     {"config", "bench"},
	"github.com/urfave/cli/v2":       {"cmd/reverb", "bench"},
	"github.com/prometheus/":         {"metrics"},
	"github.com/go-chi/chi/v5":       {"api"},
	"github.com/fatih/color":         {"internal/console"},
	"github.com/joho/godotenv":       {"config"},
	"github.com/fsnotify/fsnotify":   {"node/certificate", "config"},
	"github.com/KimMachineGun/autom": {"node"},
	"github.com/HdrHistogram/":       {"bench/measure"},
	"github.com/schollz/":            {"bench"},
	"github.com/dustin/go-humanize":  {"doctor"},
	"github.com/xrash/smetrics":      {"internal/nearest"},
}

// pure are packages without clock, locks and chance: what one of their steps does depends on its arguments alone.
var pure = []string{"scaling/cluster/roster"}

type file struct {
	path, pkg string // below the root, with slashes
	ast       *ast.File
	set       *token.FileSet
}

// sources are the Go files of the house without tests and test programs.
func sources(t *testing.T) []file {
	t.Helper()
	var all []file
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := d.Name()
		if d.IsDir() && path != root && (strings.HasPrefix(name, ".") || name == "node_modules" || name == "testdata" || name == "autobahn") {
			return filepath.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		set := token.NewFileSet()
		parsed, err := parser.ParseFile(set, path, nil, parser.ParseComments)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		rel = filepath.ToSlash(rel)
		all = append(all, file{path: rel, pkg: filepath.ToSlash(filepath.Dir(rel)), ast: parsed, set: set})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < 20 {
		t.Fatalf("found only %d files below %s", len(all), root)
	}
	return all
}

func TestImports(t *testing.T) {
	for _, f := range sources(t) {
		for _, spec := range f.ast.Imports {
			path, _ := strconv.Unquote(spec.Path.Value)
			if ours, ok := strings.CutPrefix(path, "reverb/"); ok && f.pkg != "cmd/reverb" && !slices.Contains(mayImport[f.pkg], ours) {
				t.Errorf("%s: package %s may not import %s", f.path, f.pkg, ours)
			}
			for module, packages := range onlyIn {
				if strings.HasPrefix(path, module) && !slices.Contains(packages, f.pkg) {
					t.Errorf("%s: %s is for %v only", f.path, path, packages)
				}
			}
		}
	}
}

func TestSizes(t *testing.T) {
	for _, f := range sources(t) {
		if n := f.set.Position(f.ast.FileEnd).Line; n > maxFile {
			t.Errorf("%s: %d lines, at most %d", f.path, n, maxFile)
		}
		ast.Inspect(f.ast, func(n ast.Node) bool {
			if fn, ok := n.(*ast.FuncDecl); ok {
				if lines := f.set.Position(fn.End()).Line - f.set.Position(fn.Pos()).Line + 1; lines > maxFunction {
					t.Errorf("%s: func %s has %d lines, at most %d", f.path, fn.Name.Name, lines, maxFunction)
				}
			}
			return true
		})
	}
}

func TestPackageComments(t *testing.T) {
	comments := map[string]int{}
	for _, f := range sources(t) {
		comments[f.pkg] += 0
		if f.ast.Doc != nil {
			comments[f.pkg]++
		}
	}
	for pkg, n := range comments {
		if n != 1 {
			t.Errorf("package %s has %d package comments, want 1", pkg, n)
		}
	}
}

// Reasons a line may not appear in: the race detector is never told to look away, and time is waited for by events.
func TestForbidden(t *testing.T) {
	for _, f := range sources(t) {
		in, err := os.Open(filepath.Join(root, f.path))
		if err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(in)
		for n := 1; lines.Scan(); n++ {
			words := []string{"//go:norace", "time.Sleep(", "TODO", "FIXME"}
			if slices.Contains(pure, f.pkg) {
				words = append(words, "time.Now(", "time.Since(", "time.Until(", "go func", "rand.", "sync")
			}
			for _, word := range words {
				if strings.Contains(lines.Text(), word) {
					t.Errorf("%s:%d: %s", f.path, n, word)
				}
			}
		}
		_ = in.Close()
	}
}
