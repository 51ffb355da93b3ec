package house_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// refusals are the places where a message is written that a client or a caller may see.
var refusals = []*regexp.Regexp{
	regexp.MustCompile(`newError\(\d+, "([^"]+)"`),
	regexp.MustCompile(`protocol\.Error\{Code: \d+, Message: "([^"]+)"`),
	regexp.MustCompile(`writeText\(w, http\.Status\w+, (?:fmt\.Sprintf\()?"([^"]+)"`),
	regexp.MustCompile(`refuse\(http\.Status\w+, (?:fmt\.Sprintf\()?"([^"]+)"`),
}

// Every message of the server has its cause and its cure in docs/errors.md.
func TestErrorsAreExplained(t *testing.T) {
	page, err := os.ReadFile(filepath.Join(root, "docs/errors.md"))
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, f := range sources(t) {
		if f.pkg != "protocol" && f.pkg != "server" && f.pkg != "api" {
			continue
		}
		text, err := os.ReadFile(filepath.Join(root, f.path))
		if err != nil {
			t.Fatal(err)
		}
		for _, place := range refusals {
			for _, match := range place.FindAllStringSubmatch(string(text), -1) {
				found++
				message := strings.NewReplacer("%d", "…", "%s", "…").Replace(match[1])
				if message = strings.TrimSuffix(message, "["); !strings.Contains(string(page), strings.TrimSpace(message)) {
					t.Errorf("%s: %q is not in docs/errors.md", f.path, message)
				}
			}
		}
	}
	if found < 40 {
		t.Errorf("found only %d messages: the patterns no longer fit the code", found)
	}
}
