package e2e_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/gobwas/ws"

	"reverb/internal/testclient"
)

// Six clients that never read fill the room of all outboxes. They are closed for it, and not the client that reads, but slowly, and has the
// frame for which no room was left.
func TestSilentReadersMakeRoom(t *testing.T) {
	const silent, rounds, behind, size = 6, 160, 50, 100_000 // the kernel takes about 4 MB for each
	s := start(t, "max_request_size = 200000\n[server.limits]\ntotal_outbox_bytes = 8388608", "")
	app := firstApp(s)
	app.Client = &http.Client{}
	defer app.Client.CloseIdleConnections()
	publish := func(channel string, n int) {
		body := fmt.Sprintf(`{"name":"e%d","channel":%q,"data":%q}`, n, channel, strings.Repeat("x", size))
		app.Post(t, "/events", body).Expect(t, http.StatusOK, "{}")
	}
	var deaf []*reader
	for i := range silent {
		deaf = append(deaf, newReader(t, s, fmt.Sprint("silent-", i)))
	}
	slow := newReader(t, s, "slow")
	for n := range rounds {
		for i := range silent {
			publish(fmt.Sprint("silent-", i), n)
		}
		publish("slow", n)
		if n >= behind {
			slow.read(n - behind + 1)
		}
	}
	slow.read(rounds)
	if slow.failed != nil {
		t.Errorf("the slow client: %v", slow.failed)
	}
	for n, name := range slow.got {
		if name != fmt.Sprint("e", n) {
			t.Fatalf("event %d of the slow client is %s", n, name)
		}
	}
	closed := 0
	for _, r := range deaf {
		if r.end() {
			closed++
		}
	}
	if closed == 0 {
		t.Error("no client that does not read was closed; the test is too small")
	}
}

// end reads what is on its way and reports whether the server has cut the connection.
func (r *reader) end() bool {
	if r.Write(ws.MustCompileFrame(ws.MaskFrame(ws.NewTextFrame([]byte(`{"event":"pusher:ping"}`))))) != nil {
		return true
	}
	for {
		op, payload, err := r.Frame()
		var closed *testclient.CloseError
		switch {
		case errors.As(err, &closed):
			return true
		case err != nil || op == ws.OpText && strings.Contains(string(payload), "pusher:pong"):
			return false
		}
	}
}
