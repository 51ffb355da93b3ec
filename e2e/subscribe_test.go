package e2e_test

import (
	"fmt"
	"testing"

	"reverb/internal/testclient"
)

func TestSubscribing(t *testing.T) {
	s := start(t, "", "")
	for _, c := range []struct {
		line    int
		channel string
	}{
		{14, "test-channel"}, {15, "private-test-channel"}, {17, "cache-test-channel"}, {18, "private-cache-test-channel"},
	} {
		t.Run(fmt.Sprint(c.line, " ", c.channel), func(t *testing.T) {
			client := testclient.Connect(t, s.Addr, key)
			client.Subscribe(secret, c.channel, "")
			client.Expect(succeeded(c.channel))
		})
	}
	for _, c := range []struct {
		line    int
		channel string
	}{{16, "presence-test-channel"}, {19, "presence-cache-test-channel"}} {
		t.Run(fmt.Sprint(c.line, " ", c.channel), func(t *testing.T) {
			client := testclient.Connect(t, s.Addr, key)
			client.Subscribe(secret, c.channel, member(1, "Test User"))
			client.Expect(`{"event":"pusher_internal:subscription_succeeded","data":"{\"presence\":{\"count\":1,\"ids\":[1],\"hash\":{\"1\":{\"name\":\"Test User\"}}}}","channel":"` + c.channel + `"}`)
		})
	}
	t.Run("20 empty channel name", func(t *testing.T) {
		client := testclient.Connect(t, s.Addr, key)
		client.Subscribe(secret, "", "")
		client.Expect(`{"event":"pusher_internal:subscription_succeeded","data":"{}"}`)
	})
	t.Run("21 presence without channel_data", func(t *testing.T) {
		client := testclient.Connect(t, s.Addr, key)
		client.Subscribe(secret, "presence-anonymous", "")
		client.Expect(`{"event":"pusher_internal:subscription_succeeded","data":"{\"presence\":{\"count\":0,\"ids\":[],\"hash\":{}}}","channel":"presence-anonymous"}`)
	})
	t.Run("30 public with empty auth", func(t *testing.T) {
		client := testclient.Connect(t, s.Addr, key)
		client.Send(`{"event":"pusher:subscribe","data":{"channel":"public-30","auth":""}}`)
		client.Expect(succeeded("public-30"))
	})
}

func TestSubscribeRefused(t *testing.T) {
	s := start(t, "", "")
	for _, c := range []struct {
		line    int
		channel string
		auth    string
	}{
		{24, "private-test", `"app-key:invalid"`}, {25, "presence-test", `"app-key:invalid"`},
		{26, "private-cache-test", `"app-key:invalid"`}, {27, "presence-cache-test", `"app-key:invalid"`},
		{28, "private-test", `null`}, {29, "presence-test", `null`},
	} {
		t.Run(fmt.Sprint(c.line, " ", c.channel, " ", c.auth), func(t *testing.T) {
			client := testclient.Connect(t, s.Addr, key)
			client.Send(fmt.Sprintf(`{"event":"pusher:subscribe","data":{"channel":"%s","auth":%s}}`, c.channel, c.auth))
			client.Expect(refusedSubscribe)
			if e := client.Event("pusher:subscription_error"); e.Channel != c.channel {
				t.Fatalf("subscription_error for %q", e.Channel)
			}
			client.Quiet()
			firstApp(s).Get(t, "/channels/"+c.channel, nil).Expect(t, 200, `{"occupied":false}`)
		})
	}
}

func TestChannelLife(t *testing.T) {
	s := start(t, "", "")
	app := firstApp(s)
	t.Run("22 23 connections on several channels", func(t *testing.T) {
		one, two := testclient.Connect(t, s.Addr, key), testclient.Connect(t, s.Addr, key)
		for _, channel := range []string{"test-one", "test-two", "private-test"} {
			one.Join(secret, channel, "")
		}
		one.Join(secret, "presence-test", member(1, "A"))
		two.Join(secret, "test-one", "")
		two.Join(secret, "private-test", "")
		for channel, n := range map[string]int{"test-one": 2, "test-two": 1, "private-test": 2} {
			app.Get(t, "/channels/"+channel, info("subscription_count")).Expect(t, 200,
				fmt.Sprintf(`{"occupied":true,"subscription_count":%d}`, n))
		}
		app.Get(t, "/channels/presence-test", info("user_count")).Expect(t, 200, `{"occupied":true,"user_count":1}`)
		two.Close()
		waitFor(t, func() bool {
			return app.Get(t, "/channels/test-one", info("subscription_count")).Body == `{"occupied":true,"subscription_count":1}`
		})
		one.Close()
		waitFor(t, func() bool { return app.Get(t, "/channels", nil).Body == `{"channels":{}}` })
	})
	t.Run("33 34 unsubscribe", func(t *testing.T) {
		c := testclient.Connect(t, s.Addr, key)
		c.Join(secret, "test-33", "")
		c.Send(`{"event":"pusher:unsubscribe","data":{"channel":"test-33"}}`)
		c.Send(`{"event":"pusher:unsubscribe","data":{"channel":"never-joined"}}`)
		c.Quiet()
		app.Get(t, "/channels/test-33", nil).Expect(t, 200, `{"occupied":false}`)
	})
	t.Run("subscribing twice answers twice", func(t *testing.T) {
		c := testclient.Connect(t, s.Addr, key)
		for range 2 {
			c.Subscribe(secret, "twice", "")
			c.Expect(succeeded("twice"))
		}
		app.Get(t, "/channels/twice", info("subscription_count")).Expect(t, 200, `{"occupied":true,"subscription_count":1}`)
	})
	t.Run("32 kinds", func(t *testing.T) {
		c := testclient.Connect(t, s.Addr, key)
		for _, channel := range []string{"foo-32", "private-foo-32", "private-encrypted-foo-32"} {
			c.Subscribe(secret, channel, "")
			c.Expect(succeeded(channel))
		}
		for _, channel := range []string{"cache-foo-32", "cachefoo-32", "private-cache-foo-32"} {
			c.Subscribe(secret, channel, "")
			c.Expect(succeeded(channel))
			c.Expect(`{"event":"pusher:cache_miss","channel":"` + channel + `"}`)
		}
	})
}
