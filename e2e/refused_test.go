package e2e_test

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"reverb/internal/testclient"
)

// A publish and a connection that are refused leave a trace: one line a minute for each app and cause, and numbers.
func TestRefusalsLeaveATrace(t *testing.T) {
	metrics := freePort(t)
	s := testclient.Start(t, bin, testclient.Options{
		Config: fmt.Sprintf(threeApps, "trusted_proxies = [\"127.0.0.1\"]", "max_connections = 1") + "[metrics]\nlisten = \"127.0.0.1:" + metrics + "\"\n",
	})
	wrong := firstApp(s)
	wrong.Secret = "of-another-site"
	for range 3 {
		wrong.Post(t, "/events", `{"name":"e","channel":"a","data":"d"}`).Expect(t, 401, "Authentication signature invalid.")
	}
	request, err := http.NewRequest(http.MethodPost, "http://"+s.Addr+"/apps/nobody/batch_events", strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("X-Forwarded-For", "203.0.113.9")
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	firstApp(s).Post(t, "/events", `{"name":"e","channel":"a","data":"d"}`).Expect(t, 200, "{}")
	refused := func(key, origin string, code int) {
		c := testclient.Dial(t, s.Addr, key, testclient.DialOptions{Origin: origin})
		c.Event("pusher:error")
		c.ExpectClose(code)
	}
	refused("unknown-key", "", 4001)
	refused("reverb-key-3", "https://evil.example", 4009)
	held := testclient.Connect(t, s.Addr, key)
	refused(key, "", 4004)
	held.Close()
	waitFor(t, func() bool { return strings.Contains(s.Output(), "max_connections=1 ") })
	for _, want := range []string{
		`WARN  publish refused \.* ?app=123456 from=127\.0\.0\.1:\d+ status=401 reason="Authentication signature invalid\." .*REVERB_APP_SECRET the same on both sides`,
		`WARN  publish refused \.* ?app=unknown from=203\.0\.113\.9 status=404 reason="No matching application for ID \[nobody\]\."`,
		`WARN  connection refused \.* ?app=unknown from=127\.0\.0\.1:\d+ .*key=unknown-key`,
		`WARN  connection refused \.* ?app=987654 .*origin=https://evil\.example allowed_origins="?\[laravel\.com\]`,
		`WARN  connection refused \.* ?app=123456 .*max_connections=1 `,
	} {
		if n := len(regexp.MustCompile(want).FindAllString(s.Output(), -1)); n != 1 {
			t.Errorf("%d lines %s in:\n%s", n, want, s.Output())
		}
	}
	_, text := (&unread{addr: "127.0.0.1:" + metrics}).get("/metrics")
	for _, want := range []string{
		`reverb_http_requests_total{app="123456",route="/apps/{id}/events",status="200"} 1`,
		`reverb_http_requests_total{app="123456",route="/apps/{id}/events",status="401"} 3`,
		`reverb_http_requests_total{app="unknown",route="/apps/{id}/batch_events",status="404"} 1`,
	} {
		if !strings.Contains(text, want+"\n") {
			t.Errorf("no %s in the metrics", want)
		}
	}
}
