package e2e_test

import (
	"strings"
	"testing"

	"reverb/internal/testclient"
)

// Pusher lets 10 KiB of data be sent, in whatever way the JSON writes them; more is an error and not the end of the connection.
func TestPusherClientEventsMayBeAsLargeAsPusherAllows(t *testing.T) {
	s := start(t, "", "profile = \"pusher\"\ncheck_auth_key = false")
	const channel = "private-large"
	var clients [2]*testclient.Client
	for i := range clients {
		clients[i] = testclient.Connect(t, s.Addr, key)
		clients[i].Join(secret, channel, "")
	}
	from, to := clients[0], clients[1]
	event := func(data string) string {
		return `{"event":"client-e","channel":"` + channel + `","data":"` + data + `"}`
	}
	const most = 10 << 10
	for _, data := range []string{strings.Repeat("x", most), strings.Repeat("é", most/2), strings.Repeat(`\u00e9`, most/2)} {
		from.Send(event(data))
		to.Expect(event(data))
	}
	from.Send(event(strings.Repeat("x", most+1)))
	from.Expect(`{"event":"pusher:error","data":{"code":4301,"message":"Client event data is too large"},"channel":"` + channel + `"}`)
	from.Send(event("x"))
	to.Expect(event("x"))
}
