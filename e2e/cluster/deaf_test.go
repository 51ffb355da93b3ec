package cluster_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gobwas/ws"

	"reverb/internal/redistest"
	"reverb/internal/testclient"
)

// The others that are there when a client asks for them: so many, each with this much of user_info, in bytes.
const (
	crowdSize = 40
	crowdInfo = 8_000
	rooms     = 6
	cached    = 300 // cache channels that have a last event of the largest size
)

// TestOneDeafConnectionHoldsLittle: one connection asks for whatever there is to ask for, and never reads: it cannot have its answers wait in the
// node's memory. TLS is tried too, where crypto/tls and two goroutines stand in between.
func TestOneDeafConnectionHoldsLittle(t *testing.T) {
	event := strings.Repeat("x", longest)
	attacks := []struct {
		name  string
		scene func(n *node)
		ask   func(f *flood, i int)
	}{
		{"rosters of one channel", crowd, func(f *flood, i int) { f.subscribePresence("presence-room-0") }},
		{"rosters of some channels that it leaves", crowd, func(f *flood, i int) {
			channel := fmt.Sprint("presence-room-", i%rooms)
			f.subscribePresence(channel)
			f.unsubscribe(channel)
		}},
		{"cached events", stock, func(f *flood, i int) { f.subscribe(fmt.Sprint("cache-", i%cached)) }},
		{"cached events of channels that it leaves", stock, func(f *flood, i int) {
			f.subscribe(fmt.Sprint("cache-", i%cached))
			f.unsubscribe(fmt.Sprint("cache-", i%cached))
		}},
		{"channels that it leaves", nil, func(f *flood, i int) {
			f.subscribe(name("", i, longestName))
			f.unsubscribe(name("", i, longestName))
		}},
		{"pongs", nil, func(f *flood, _ int) {
			f.frame(ws.NewPingFrame([]byte(event[:ws.MaxControlFramePayloadSize])))
		}},
		{"short pongs", nil, func(f *flood, _ int) { f.say("pusher:ping", "{}", "") }},
		{"refusals", nil, func(f *flood, _ int) { f.subscribe("#" + event[:longestName-1]) }},
		{"a message that does not end, and pongs", nil, func(f *flood, i int) {
			if i == 0 {
				f.frame(ws.NewFrame(ws.OpText, false, []byte(event[:longest/2])))
			}
			f.frame(ws.NewPingFrame([]byte("x")))
		}},
	}
	for _, attack := range attacks {
		t.Run(attack.name, func(t *testing.T) {
			for _, setting := range []struct {
				name            string
				scaling, secure bool
			}{{"alone", false, false}, {"alone with TLS", false, true}, {"in a cluster", true, false}} {
				t.Run(setting.name, func(t *testing.T) {
					n := startDeaf(t, setting.scaling, setting.secure)
					if attack.scene != nil {
						attack.scene(n)
					}
					n.warm()
					resident := n.status("VmRSS")
					f := newDeaf(n)
					for i := 0; !f.cut; i++ {
						attack.ask(f, i)
					}
					here := n.status("VmHWM") - resident
					t.Logf("the node held %.1f MiB more", float64(here)/(1<<20))
					if here > oneMayHold {
						t.Errorf("want at most %d MiB", oneMayHold>>20)
					}
				})
			}
		})
	}
}

// startDeaf starts a node that soon cuts a client that takes nothing.
func startDeaf(t *testing.T, scaling, secure bool) *node {
	redis := redistest.Start(t)
	server := "[server.limits]\noutbox_timeout = 2\n"
	if secure {
		cert, key, _ := redistest.Certificate(t)
		server += fmt.Sprintf("[server.tls]\ncert = %q\nkey = %q\n", cert, key)
	}
	n := startNodeAt(t, "native", "port = "+redis.Port(), options{server: server}, fmt.Sprintf("REVERB_SCALING_ENABLED=%v", scaling))
	n.secure = secure
	return n
}

// crowd has others join the rooms.
func crowd(n *node) {
	var all sync.WaitGroup
	for i := range crowdSize {
		f := newFlood(n)
		all.Go(func() {
			for room := range rooms {
				f.c.Subscribe(secret, fmt.Sprint("presence-room-", room), fmt.Sprintf(`{"user_id":%d,"user_info":%q}`, i, strings.Repeat("x", crowdInfo)))
			}
			for range rooms {
				<-f.joined
			}
		})
	}
	all.Wait()
}

// stock has a last event in each of the cache channels, in which somebody is.
func stock(n *node) {
	f := newFlood(n)
	names := make([]string, cached)
	for i := range names {
		names[i] = fmt.Sprint("cache-", i)
	}
	f.join(names)
	for _, channel := range names {
		n.publish(channel, strings.Repeat("x", longest), "")
	}
}

// warm has the node handle much, so that its heap is as large as it is after some hours, and forgets what it had resident at its peak.
func (n *node) warm() {
	f := newFlood(n)
	for range 5_000 {
		f.subscribe("#" + strings.Repeat("x", longest)) // read, and refused
	}
	f.end()
	f.c.Close()
	if err := os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", n.PID()), []byte("5"), 0); err != nil {
		n.t.Fatal(err)
	}
}

// newDeaf is a flood that reads nothing but its greeting.
func newDeaf(n *node) *flood {
	f := new(flood)
	var d net.Dialer
	dialer := &ws.Dialer{NetDial: func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := d.DialContext(ctx, network, addr)
		if tcp, ok := conn.(*net.TCPConn); ok {
			err = tcp.SetReadBuffer(16 << 10)
			_ = tcp.SetWriteDeadline(time.Now().Add(readWait))
		}
		return conn, err
	}}
	f.c = n.dial(dialer)
	return f
}

// subscribePresence says the same as Client.Subscribe, with the other frames.
func (f *flood) subscribePresence(channel string) {
	const data = `{"user_id":"deaf"}`
	f.say("pusher:subscribe", fmt.Sprintf(`{"channel":%q,"auth":%q,"channel_data":%q}`, channel, f.c.Auth(secret, channel, data), data), "")
}

// dial connects with TLS where the node has it.
func (n *node) dial(d *ws.Dialer) *testclient.Client {
	o := testclient.DialOptions{Dialer: d}
	if n.secure {
		o.Scheme = "wss"
		o.Dialer.TLSConfig = insecure
	}
	c := testclient.Dial(n.t, n.Addr, key, o)
	c.Established()
	return c
}

var (
	insecure = &tls.Config{InsecureSkipVerify: true} //nolint:gosec // the certificate was made a moment ago
	trusting = &http.Client{Transport: &http.Transport{TLSClientConfig: insecure}}
)
