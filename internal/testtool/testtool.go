// Package testtool finds the programs that tests put beside the server.
package testtool

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// Find returns the path of the first program that is there: a name in the PATH, or a pattern of absolute names such as
// /usr/lib/postgresql/*/bin/initdb, of whose matches the last one counts. Without any the test is skipped, but in CI, where the variable CI is
// set, it fails: a test that CI does not run protects nobody.
func Find(t testing.TB, names ...string) string {
	t.Helper()
	for _, name := range names {
		if found, err := exec.LookPath(name); err == nil {
			return found
		}
		if found, err := filepath.Glob(name); err == nil && filepath.IsAbs(name) && len(found) > 0 {
			return found[len(found)-1]
		}
	}
	Missing(t, names[0]+" is not installed: e2e/install.sh installs it")
	return ""
}

// Missing ends a test that cannot run here for the reason: it is skipped, or fails in CI.
func Missing(t testing.TB, reason string) {
	t.Helper()
	if os.Getenv("CI") != "" {
		t.Fatal("in CI nothing is skipped: " + reason)
	}
	t.Skip(reason)
}
