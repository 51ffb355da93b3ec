package dashboard_test

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
)

func TestPublish(t *testing.T) {
	b := &browser{node: start(t, false)}
	c, _ := b.client("key", 1, "news")
	c.Take()
	answer := b.do("POST", "api/apps/1/events", `{"event":"e","channels":["news","nobody"],"data":"{}"}`)
	var got struct{ Subscriptions int }
	if err := json.NewDecoder(answer.Body).Decode(&got); err != nil || answer.StatusCode != http.StatusOK || got.Subscriptions != 1 {
		t.Errorf("status %d, answer %+v, err %v", answer.StatusCode, got, err)
	}
	if got := c.Take(); len(got) != 1 {
		t.Errorf("the subscriber got %q, want one message", got)
	}
}

func TestPublishRefuses(t *testing.T) {
	b := &browser{node: start(t, false)}
	for name, tt := range map[string]struct {
		body   string
		status int
	}{
		"no JSON":       {`{`, http.StatusBadRequest},
		"too long":      {`{"event":"e","channels":["a"],"data":"` + strings.Repeat("x", 20_000) + `"}`, http.StatusBadRequest},
		"no event":      {`{"channels":["a"],"data":"d"}`, http.StatusUnprocessableEntity},
		"no channel":    {`{"event":"e","data":"d"}`, http.StatusUnprocessableEntity},
		"empty channel": {`{"event":"e","channels":[""],"data":"d"}`, http.StatusUnprocessableEntity},
		"many channels": {`{"event":"e","channels":["a"` + strings.Repeat(`,"a"`, 100) + `],"data":"d"}`, http.StatusUnprocessableEntity},
	} {
		answer := b.do("POST", "api/apps/1/events", tt.body)
		body, _ := io.ReadAll(answer.Body)
		if answer.StatusCode != tt.status || !strings.Contains(string(body), `"error":"`) {
			t.Errorf("%s: status %d, want %d; body %s", name, answer.StatusCode, tt.status, body)
		}
	}
}

func TestCloseUser(t *testing.T) {
	b := &browser{node: start(t, false)}
	if got := b.do("POST", "api/apps/1/users/close", `{"user_id":"7"}`).StatusCode; got != http.StatusOK {
		t.Errorf("status %d", got)
	}
	if got := b.do("POST", "api/apps/1/users/close", `{}`).StatusCode; got != http.StatusUnprocessableEntity {
		t.Errorf("nobody: status %d, want 422", got)
	}
}
