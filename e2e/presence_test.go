package e2e_test

import (
	"testing"

	"reverb/internal/testclient"
)

func TestPresence(t *testing.T) {
	for _, channel := range []string{"presence-room", "presence-cache-room"} {
		t.Run(channel, func(t *testing.T) { presence(t, channel) })
	}
}

// presence runs lines 36 to 43 on one channel; line 44 is the same on a cached one.
func presence(t *testing.T, channel string) {
	s := start(t, "", "")
	drain := func(c *testclient.Client) {
		if channel == "presence-cache-room" {
			c.Event("pusher:cache_miss")
		}
	}
	join := func(data string) *testclient.Client {
		c := testclient.Connect(t, s.Addr, key)
		c.Join(secret, channel, data)
		drain(c)
		return c
	}
	one := join(member(1, "Test User 1"))

	two := testclient.Connect(t, s.Addr, key)
	two.Subscribe(secret, channel, member(2, "Test User 2"))
	two.Expect(`{"event":"pusher_internal:subscription_succeeded","data":"{\"presence\":{\"count\":2,\"ids\":[1,2],\"hash\":{\"1\":{\"name\":\"Test User 1\"},\"2\":{\"name\":\"Test User 2\"}}}}","channel":"` + channel + `"}`) // 41
	drain(two)
	one.Expect(`{"event":"pusher_internal:member_added","data":"{\"user_id\":2,\"user_info\":{\"name\":\"Test User 2\"}}","channel":"` + channel + `"}`) // 36

	three := join(member(3, "Test User 3"))
	for _, c := range []*testclient.Client{one, two} {
		c.Expect(`{"event":"pusher_internal:member_added","data":"{\"user_id\":3,\"user_info\":{\"name\":\"Test User 3\"}}","channel":"` + channel + `"}`)
	}
	again := join(member(3, "Test User 3")) // 38, 39
	one.Quiet()
	three.Close() // 40: not the last of user 3
	waitFor(t, func() bool {
		return firstApp(s).Get(t, "/connections", nil).Body == `{"connections":3}`
	})
	one.Quiet()
	again.Close()
	for _, c := range []*testclient.Client{one, two} {
		c.Expect(`{"event":"pusher_internal:member_removed","data":"{\"user_id\":3}","channel":"` + channel + `"}`) // 37
	}
	join("") // 42
	one.Expect(`{"event":"pusher_internal:member_added","data":"{}","channel":"` + channel + `"}`)
	join(`{"name":"Joe"}`) // 43
	one.Expect(`{"event":"pusher_internal:member_added","data":"{\"name\":\"Joe\"}","channel":"` + channel + `"}`)
}

func TestPresenceMended(t *testing.T) {
	s := start(t, "", "")
	t.Run("another user id on the same socket removes the old one", func(t *testing.T) {
		watcher := testclient.Connect(t, s.Addr, key)
		watcher.Join(secret, "presence-change", member(1, "W"))
		c := testclient.Connect(t, s.Addr, key)
		c.Join(secret, "presence-change", member(2, "A"))
		watcher.Event("pusher_internal:member_added")
		c.Subscribe(secret, "presence-change", member(3, "B"))
		removed := `{"event":"pusher_internal:member_removed","data":"{\"user_id\":2}","channel":"presence-change"}`
		added := `{"event":"pusher_internal:member_added","data":"{\"user_id\":3,\"user_info\":{\"name\":\"B\"}}","channel":"presence-change"}`
		if redisPort != "" { // the cluster takes the new user in first, and tells all sockets
			removed, added = added, removed
			c.Expect(removed)
		}
		c.Event("pusher_internal:subscription_succeeded")
		watcher.Expect(removed)
		watcher.Expect(added)
	})
	t.Run("a member without user_info is null in the roster", func(t *testing.T) {
		c := testclient.Connect(t, s.Addr, key)
		c.Subscribe(secret, "presence-bare", `{"user_id":"9"}`)
		c.Expect(`{"event":"pusher_internal:subscription_succeeded","data":"{\"presence\":{\"count\":1,\"ids\":[\"9\"],\"hash\":{\"9\":null}}}","channel":"presence-bare"}`)
	})
}
