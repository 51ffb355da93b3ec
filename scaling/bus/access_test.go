package bus_test

import (
	"crypto/tls"
	"strings"
	"testing"
	"time"

	"reverb/internal/redistest"
	"reverb/scaling/bus"
)

// minimalUser is what docs tell to give to the node's user: these commands, its keys and its channels.
const minimalUser = "on >secret resetkeys ~P:* resetchannels &P:* -@all " +
	"+hello +ping +publish +subscribe +unsubscribe +eval +evalsha +get +set"

func TestTLSAndAUserWithFewRights(t *testing.T) {
	cert, key, pool := redistest.Certificate(t)
	port := redistest.FreePort(t)
	redis := redistest.Start(t, "--tls-port", port, "--tls-cert-file", cert, "--tls-key-file", key, "--tls-ca-cert-file", cert)
	if err, failed := redis.Do(append([]string{"ACL", "SETUSER", "node"}, strings.Fields(minimalUser)...)...).(error); failed {
		t.Fatal(err)
	}
	certificate, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		t.Fatal(err)
	}
	o := bus.Options{
		Addrs: []string{"127.0.0.1:" + port}, Username: "node", Password: "secret",
		TLS: &tls.Config{RootCAs: pool, Certificates: []tls.Certificate{certificate}},
	}
	stranger := o
	stranger.TLS = &tls.Config{Certificates: o.TLS.Certificates}
	q := connect(t, stranger)
	q.await("the reason", func() bool {
		s := q.State()
		return s.Err != nil && strings.Contains(s.Err.Error(), "unknown authority")
	})

	p := up(t, o)
	p.subscribe("P:x")
	keep := &bus.Keep{Key: "P:x:e", Value: []byte("v"), TTL: time.Minute}
	if err := p.Publish(bus.Message{Name: "P:x", Payload: []byte("m"), Keep: keep}); err != nil {
		t.Fatal(err)
	}
	p.await("the message", func() bool { return p.count("P:x") == 1 })
	script := bus.NewScript(`return redis.call("GET", KEYS[1])`)
	for range 2 {
		if v, err := p.do(bus.Command{Script: script, Keys: []string{"P:x:e"}}).Text(); err != nil || v != "v" {
			t.Errorf("got %q, error %v", v, err)
		}
	}
	p.Unsubscribe("P:x")
	p.await("the subscription to end", func() bool { return redis.Subscribers("P:x") == 0 })

	// What it may not do is dropped, counted, and ends nothing.
	p.publish("other", "m")
	p.await("the refusal to be counted", func() bool { return p.droppedFor(bus.DroppedRefused) == 1 })
	if !p.Up() {
		t.Error("a refused publication ended the connection")
	}
}

func TestSaysWhyItIsDown(t *testing.T) {
	redis := redistest.Start(t, "--requirepass", "secret")
	node := redistest.Start(t, "--cluster-enabled", "yes", "--cluster-port", redistest.FreePort(t))
	for name, test := range map[string]struct {
		options bus.Options
		want    string
	}{
		"no password":    {bus.Options{Addrs: []string{redis.Addr}}, "NOAUTH"},
		"wrong password": {bus.Options{Addrs: []string{redis.Addr}, Password: "x"}, "WRONGPASS"},
		"no such database": {
			bus.Options{Addrs: []string{redis.Addr}, Password: "secret", Database: 99}, "DB index",
		},
		"no cluster":          {bus.Options{Addrs: []string{redis.Addr}, Password: "secret", Cluster: true}, "cluster support disabled"},
		"a cluster":           {bus.Options{Addrs: []string{node.Addr}}, "of a cluster"},
		"cluster of no slots": {bus.Options{Addrs: []string{node.Addr}, Cluster: true}, "no slots"},
		"no sentinel": {
			bus.Options{Password: "secret", Sentinel: bus.Sentinel{Master: "m", Addrs: []string{redis.Addr}}}, "sentinel " + redis.Addr,
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := connect(t, test.options)
			p.await(test.want, func() bool { s := p.State(); return s.Err != nil && strings.Contains(s.Err.Error(), test.want) })
		})
	}
}

// A name that may not be subscribed leaves the node without what it needs: it is down, and says why.
func TestRefusedSubscription(t *testing.T) {
	redis := redistest.Start(t)
	if err, failed := redis.Do(append([]string{"ACL", "SETUSER", "node"}, strings.Fields(minimalUser)...)...).(error); failed {
		t.Fatal(err)
	}
	o := at(redis)
	o.Username, o.Password = "node", "secret"
	p := up(t, o)
	done := make(chan error, 1)
	p.Subscribe("other", func(err error) { done <- err })
	if err := receive(t, done); err == nil {
		t.Error("confirmed")
	}
	p.await("the reason", func() bool { s := p.State(); return !s.Up && s.Err != nil && strings.Contains(s.Err.Error(), "NOPERM") })
	p.Unsubscribe("other")
	p.await("up again", p.Up)
}
