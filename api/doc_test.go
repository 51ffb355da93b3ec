package api_test

import (
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"
)

// TestDocument asks for every route that docs/http-api.md lists.
func TestDocument(t *testing.T) {
	text, err := os.ReadFile("../docs/http-api.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := regexp.MustCompile("(?m)^\\| (GET|POST) \\| `(/[^`]*)` \\|").FindAllStringSubmatch(string(text), -1)
	if len(rows) != 10 {
		t.Errorf("got %d routes, want 10", len(rows))
	}
	parameter := strings.NewReplacer("{appId}", appID, "{appKey}", appKey, "{channel}", "a", "{userId}", "1")
	for _, row := range rows {
		rec := newWorld(t).do(row[1], parameter.Replace(row[2]), "")
		if rec.Code == http.StatusNotFound || rec.Code == http.StatusMethodNotAllowed {
			t.Errorf("%s %s: got %d %s", row[1], row[2], rec.Code, rec.Body)
		}
	}
}
