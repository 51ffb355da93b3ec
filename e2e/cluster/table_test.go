package cluster_test

import (
	"fmt"
	"net/http"
	"net/url"
	"testing"
	"time"

	"reverb/internal/redistest"
	"reverb/internal/testclient"
)

// TestCells is every promise of a cluster, with both clients on one node and with each on another.
func TestCells(t *testing.T) {
	cells := []struct {
		name string
		cell func(t *testing.T, near, far *node, channel string)
	}{
		{"publish", publishCell},
		{"client event", clientEventCell},
		{"exclusion", exclusionCell},
		{"presence", presenceCell},
		{"presence, one user twice", sameUserCell},
		{"anonymous", anonymousCell},
		{"cache", cacheCell},
		{"cache for nobody", cacheForNobodyCell},
		{"terminate", terminateCell},
		{"counts", countsCell},
		{"users", usersCell},
		{"events with info", infoCell},
	}
	for _, mode := range modes {
		t.Run(mode, func(t *testing.T) {
			redis := redistest.Start(t)
			a, b := startNode(t, mode, redis, options{}), startNode(t, mode, redis, options{})
			for i, c := range cells {
				for where, far := range map[string]*node{"same node": a, "other node": b} {
					t.Run(c.name+"/"+where, func(t *testing.T) {
						near, far := &node{Server: a.Server, t: t}, &node{Server: far.Server, t: t}
						c.cell(t, near, far, fmt.Sprintf("cell-%d-%t", i, near.Server == far.Server))
					})
				}
			}
		})
	}
}

func publishCell(t *testing.T, near, far *node, channel string) {
	x, y := near.connect(), far.connect()
	x.Join(secret, channel, "")
	y.Join(secret, "private-"+channel, "")
	y.Join(secret, channel, "")
	for i := range 20 {
		near.publish(channel, fmt.Sprint(i), "")
	}
	for i := range 20 {
		x.Expect(event(channel, fmt.Sprint(i)))
		y.Expect(event(channel, fmt.Sprint(i)))
	}
	far.publish("private-"+channel, "p", "")
	y.Expect(event("private-"+channel, "p"))
	near.publish(channel, "/ü", "")
	x.Expect(event(channel, "/ü"))
	y.Expect(event(channel, "/ü"))
	body := fmt.Sprintf(`{"batch":[{"name":"e","channel":%q,"data":"b"}]}`, channel)
	near.app().Post(t, "/batch_events", body).Expect(t, http.StatusOK, `{"batch":{}}`)
	y.Expect(fmt.Sprintf(`{"event":"e","channel":%q,"data":"b"}`, channel))
	x.Expect(fmt.Sprintf(`{"event":"e","channel":%q,"data":"b"}`, channel))
}

func clientEventCell(_ *testing.T, near, far *node, channel string) {
	channel = "presence-" + channel
	x, y := near.connect(), far.connect()
	x.Join(secret, channel, member(1))
	y.Join(secret, channel, member(2))
	x.Expect(added(channel, 2))
	x.Send(fmt.Sprintf(`{"event":"client-typing","channel":%q,"data":{"a":[1.0,"/ü"]}}`, channel))
	y.Expect(fmt.Sprintf(`{"event":"client-typing","channel":%q,"data":{"a":[1.0,"/ü"]},"user_id":1}`, channel))
	y.Send(fmt.Sprintf(`{"event":"client-typing","channel":%q,"data":{"b":2}}`, channel))
	x.Expect(fmt.Sprintf(`{"event":"client-typing","channel":%q,"data":{"b":2},"user_id":2}`, channel))
	x.Quiet() // never back to the sender
	y.Quiet()
}

func exclusionCell(_ *testing.T, near, far *node, channel string) {
	x, y := near.connect(), far.connect()
	x.Join(secret, channel, "")
	y.Join(secret, channel, "")
	near.publish(channel, "1", y.SocketID)
	near.publish(channel, "2", x.SocketID)
	near.publish(channel, "3", "")
	for _, want := range []string{"1", "3"} {
		x.Expect(event(channel, want))
	}
	for _, want := range []string{"2", "3"} {
		y.Expect(event(channel, want))
	}
}

func presenceCell(t *testing.T, near, far *node, channel string) {
	channel = "presence-" + channel
	x, y := near.connect(), far.connect()
	x.Join(secret, channel, member(1))
	y.Subscribe(secret, channel, member(2))
	y.Expect(fmt.Sprintf(`{"event":"pusher_internal:subscription_succeeded","data":"{\"presence\":{\"count\":2,\"ids\":[1,2],`+
		`\"hash\":{\"1\":{\"name\":\"u1\"},\"2\":{\"name\":\"u2\"}}}}","channel":%q}`, channel))
	x.Expect(added(channel, 2))
	x.Send(fmt.Sprintf(`{"event":"pusher:unsubscribe","data":{"channel":%q}}`, channel))
	y.Expect(removed(channel, 1))
	x.Join(secret, channel, member(1))
	y.Expect(added(channel, 1))
	y.Close()
	x.Expect(removed(channel, 2))
	x.Quiet()
}

func sameUserCell(t *testing.T, near, far *node, channel string) {
	channel = "presence-" + channel
	x, y, z := near.connect(), far.connect(), near.connect()
	x.Join(secret, channel, member(1))
	y.Join(secret, channel, member(2))
	x.Expect(added(channel, 2))
	z.Join(secret, channel, member(2)) // is there already
	y.Close()
	x.Quiet()
	z.Send(fmt.Sprintf(`{"event":"pusher:unsubscribe","data":{"channel":%q}}`, channel))
	x.Expect(removed(channel, 2))
}

func anonymousCell(_ *testing.T, near, far *node, channel string) {
	channel = "presence-" + channel
	x, y := near.connect(), far.connect()
	x.Join(secret, channel, member(1))
	y.Join(secret, channel, `{"name":"x"}`)
	x.Expect(fmt.Sprintf(`{"event":"pusher_internal:member_added","data":"{\"name\":\"x\"}","channel":%q}`, channel))
	y.Close()
	x.Quiet()
}

func cacheCell(_ *testing.T, near, far *node, channel string) {
	channel = "cache-" + channel
	x := near.connect()
	x.Join(secret, channel, "")
	x.Expect(fmt.Sprintf(`{"event":"pusher:cache_miss","channel":%q}`, channel))
	near.publish(channel, "1", "")
	near.publish(channel, "2", "")
	x.Expect(event(channel, "1"))
	x.Expect(event(channel, "2"))
	y := far.joinCached(channel, event(channel, "2"))
	far.publish(channel, "3", "")
	x.Expect(event(channel, "3"))
	y.Expect(event(channel, "3"))
	near.joinCached(channel, event(channel, "3"))
}

// joinCached returns a new client of a cache channel that has the event. A publisher has its answer a moment before Redis has the event,
// so a client who comes in that moment may be told of an earlier one, or of none.
func (n *node) joinCached(channel, event string) *testclient.Client {
	n.t.Helper()
	var c *testclient.Client
	last := ""
	if !redistest.Eventually(30*time.Second, func() bool {
		c = n.connect()
		c.Join(secret, channel, "")
		got, err := c.Read()
		if err != nil {
			n.t.Fatal(err)
		}
		if got != event {
			c.Close()
		}
		last = got
		return got == event
	}) {
		n.t.Fatalf("the channel has %s, want %s", last, event)
	}
	return c
}

// An event of a cache channel is kept also when nobody has ever listened.
func cacheForNobodyCell(_ *testing.T, near, far *node, channel string) {
	channel = "private-cache-" + channel
	near.publish(channel, "early", "")
	far.joinCached(channel, event(channel, "early"))
}

func terminateCell(t *testing.T, near, far *node, channel string) {
	channel = "presence-" + channel
	x, y := near.connect(), far.connect()
	x.Join(secret, channel, member(71))
	y.Join(secret, channel, member(72))
	x.Expect(added(channel, 72))
	near.app().Post(t, "/users/72/terminate_connections", "").Expect(t, http.StatusOK, `{}`)
	y.ExpectClose(4100)
	x.Expect(removed(channel, 72))
	x.Quiet()
}

func countsCell(t *testing.T, near, far *node, channel string) {
	room, den := channel, "presence-"+channel
	x, y := near.connect(), far.connect()
	x.Join(secret, room, "")
	y.Join(secret, room, "")
	x.Join(secret, den, member(1))
	y.Join(secret, den, member(1))
	for _, n := range []*node{near, far} {
		n.get("/channels/"+room, url.Values{"info": {"subscription_count"}}).Expect(t, http.StatusOK, `{"occupied":true,"subscription_count":2}`)
		n.get("/channels/"+den, url.Values{"info": {"user_count"}}).Expect(t, http.StatusOK, `{"occupied":true,"user_count":1}`)
		n.get("/channels", url.Values{"filter_by_prefix": {den}, "info": {"user_count"}}).
			Expect(t, http.StatusOK, fmt.Sprintf(`{"channels":{%q:{"user_count":1}}}`, den))
		answer := n.get("/channels/none", nil).Expect(t, http.StatusOK, `{"occupied":false}`)
		if partial := answer.Header.Get("Reverb-Partial"); partial != "" {
			t.Errorf("partial: %s", partial)
		}
	}
	y.Close()
	x.Quiet()
	eventually(t, readWait, "one connection is left", func() bool {
		return near.get("/channels/"+room, url.Values{"info": {"subscription_count"}}).Body == `{"occupied":true,"subscription_count":1}` &&
			far.get("/channels/"+room, url.Values{"info": {"subscription_count"}}).Body == `{"occupied":true,"subscription_count":1}`
	})
}

func usersCell(t *testing.T, near, far *node, channel string) {
	channel = "presence-" + channel
	x, y, z := near.connect(), far.connect(), far.connect()
	x.Join(secret, channel, member(1))
	y.Join(secret, channel, member(2))
	z.Join(secret, channel, member(1))
	for _, n := range []*node{near, far} {
		n.get("/channels/"+channel+"/users", nil).Expect(t, http.StatusOK, `{"users":[{"id":1},{"id":2}]}`)
		n.get("/channels/presence-none/users", nil).Expect(t, http.StatusNotFound, `{}`)
	}
	x.Close()
	z.Close()
	eventually(t, readWait, "one user is left", func() bool {
		return near.get("/channels/"+channel+"/users", nil).Body == `{"users":[{"id":2}]}` &&
			far.get("/channels/"+channel+"/users", nil).Body == `{"users":[{"id":2}]}`
	})
}

func infoCell(t *testing.T, near, far *node, channel string) {
	x, y := near.connect(), far.connect()
	x.Join(secret, channel, "")
	y.Join(secret, channel, "")
	body := fmt.Sprintf(`{"name":"e","channels":[%q,"nobody"],"data":"d","info":"subscription_count"}`, channel)
	near.app().Post(t, "/events", body).Expect(t, http.StatusOK, fmt.Sprintf(`{"channels":{%q:{"subscription_count":2},"nobody":{}}}`, channel))
	x.Expect(event(channel, "d"))
	y.Expect(event(channel, "d"))
}
