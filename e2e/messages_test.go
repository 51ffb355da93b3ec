package e2e_test

import (
	"fmt"
	"strings"
	"testing"

	"reverb/internal/testclient"
)

const invalid = "Invalid message format"

func TestCacheChannels(t *testing.T) {
	s := start(t, "", "")
	for i, channel := range []string{"cache-test", "private-cache-test", "presence-cache-test"} {
		t.Run(fmt.Sprint(48+i, " miss on ", channel), func(t *testing.T) {
			c := testclient.Connect(t, s.Addr, key)
			c.Join(secret, channel, "")
			c.Expect(`{"event":"pusher:cache_miss","channel":"` + channel + `"}`)
			c.Quiet() // 51
		})
		t.Run(fmt.Sprint(45+i, " hit on ", channel), func(t *testing.T) {
			first := testclient.Connect(t, s.Addr, key)
			first.Join(secret, channel, "")
			first.Event("pusher:cache_miss")
			firstApp(s).Post(t, "/events", `{"name":"App\\Events\\TestEvent","channel":"`+channel+`","data":"{\"foo\":\"bar\"}"}`).Expect(t, 200, `{}`)
			want := `{"event":"App\\Events\\TestEvent","data":"{\"foo\":\"bar\"}","channel":"` + channel + `"}`
			first.Expect(want)
			late := testclient.Connect(t, s.Addr, key)
			late.Join(secret, channel, "")
			late.Expect(want)
			if !strings.HasPrefix(channel, "presence") {
				late.Quiet()
				firstApp(s).Get(t, "/channels/"+channel, info("cache")).Expect(t, 200, `{"occupied":true,"cache":`+want+`}`) // 52
			}
		})
	}
}

func TestEvents(t *testing.T) {
	s := start(t, "", "")
	for line, channel := range map[int]string{53: "test-53", 54: "presence-54"} {
		t.Run(fmt.Sprint(line, " ", channel), func(t *testing.T) {
			var clients []*testclient.Client
			for range 3 {
				c := testclient.Connect(t, s.Addr, key)
				c.Join(secret, channel, memberOf(channel))
				clients = append(clients, c)
			}
			firstApp(s).Post(t, "/events", `{"name":"App\\Events\\TestEvent","channel":"`+channel+`","data":"{\"foo\":\"bar\"}"}`).Expect(t, 200, `{}`)
			for _, c := range clients {
				c.Expect(`{"event":"App\\Events\\TestEvent","data":"{\"foo\":\"bar\"}","channel":"` + channel + `"}`)
				c.Quiet() // 55
			}
		})
	}
}

// memberOf is channel_data where the channel needs it; the same user for all, so that nobody is announced.
func memberOf(channel string) string {
	if strings.HasPrefix(channel, "presence") {
		return member(1, "A")
	}
	return ""
}

func TestClientEvents(t *testing.T) {
	s := start(t, "", "")
	pair := func(t *testing.T, channel, data string) (*testclient.Client, *testclient.Client) {
		one, two := testclient.Connect(t, s.Addr, key), testclient.Connect(t, s.Addr, key)
		one.Join(secret, channel, data)
		two.Join(secret, channel, data)
		return one, two
	}
	t.Run("56 57 public channel", func(t *testing.T) {
		one, two := pair(t, "test-56", "")
		one.Send(`{"event":"client-start-typing","channel":"test-56","data":{"id":123,"name":"Joe Dixon"}}`)
		two.Expect(`{"event":"client-start-typing","channel":"test-56","data":{"id":123,"name":"Joe Dixon"}}`)
		one.Quiet()
	})
	t.Run("58 user id", func(t *testing.T) {
		one, two := pair(t, "presence-58", `{"user_id":"1","user_info":{}}`)
		one.Send(`{"event":"client-start-typing","channel":"presence-58","data":{"id":123}}`)
		two.Expect(`{"event":"client-start-typing","channel":"presence-58","data":{"id":123},"user_id":"1"}`)
	})
	t.Run("59 no user id", func(t *testing.T) {
		one, two := pair(t, "private-59", "")
		one.Send(`{"event":"client-start-typing","channel":"private-59","data":{"id":123},"user_id":"spoofed"}`)
		two.Expect(`{"event":"client-start-typing","channel":"private-59","data":{"id":123}}`)
	})
	t.Run("60 not a member", func(t *testing.T) {
		one, _ := pair(t, "private-60", "")
		stranger := testclient.Connect(t, s.Addr, key)
		stranger.Send(`{"event":"client-start-typing","channel":"private-60","data":{"id":123}}`)
		stranger.ExpectError(4009, "The client is not a member of the specified channel.")
		one.Quiet()
	})
	t.Run("63 ignored", func(t *testing.T) {
		one, two := pair(t, "test-63", "")
		one.Send(`{"event":"start-typing","channel":"test-63","data":{}}`)
		one.Quiet()
		two.Quiet()
	})
	t.Run("64 without data", func(t *testing.T) {
		one, two := pair(t, "test-64", "")
		one.Send(`{"event":"client-start-typing","channel":"test-64"}`)
		two.Expect(`{"event":"client-start-typing","channel":"test-64","data":null}`)
		one.Quiet()
	})
	t.Run("data that is JSON text arrives as JSON", func(t *testing.T) {
		one, two := pair(t, "test-text", "")
		one.Send(`{"event":"client-a","channel":"test-text","data":"{\"a\":{},\"b\":1.0}"}`)
		two.Expect(`{"event":"client-a","channel":"test-text","data":{"a":{},"b":1.0}}`)
	})
}

func TestClientEventModes(t *testing.T) {
	t.Run("61 none", func(t *testing.T) {
		s := start(t, "", `accept_client_events_from = "none"`)
		one, two := testclient.Connect(t, s.Addr, key), testclient.Connect(t, s.Addr, key)
		one.Join(secret, "test-61", "")
		two.Join(secret, "test-61", "")
		one.Send(`{"event":"client-start-typing","channel":"test-61","data":{}}`)
		one.ExpectError(4301, "The app does not have client messaging enabled.")
		two.Quiet()
	})
	t.Run("62 all", func(t *testing.T) {
		s := start(t, "", `accept_client_events_from = "all"`)
		one, two := testclient.Connect(t, s.Addr, key), testclient.Connect(t, s.Addr, key)
		two.Join(secret, "test-62", "")
		one.Send(`{"event":"client-start-typing","channel":"test-62","data":{"id":123},"user_id":7}`)
		two.Expect(`{"event":"client-start-typing","channel":"test-62","data":{"id":123}}`)
	})
}

func TestInvalidMessages(t *testing.T) {
	s := start(t, "", "")
	for name, text := range map[string]string{
		"65 text":                 `Hi`,
		"66 event an array":       `{"event":["pusher:subscribe"]}`,
		"67 data not JSON":        `{"event":"pusher:subscribe","data":"Hi"}`,
		"68 channel an array":     `{"event":"pusher:subscribe","data":{"channel":["a"]}}`,
		"68 channel null":         `{"event":"pusher:subscribe","data":{"channel":null}}`,
		"69 auth an array":        `{"event":"pusher:subscribe","data":{"channel":"private-a","auth":["x"]}}`,
		"70 channel_data array":   `{"event":"pusher:subscribe","data":{"channel":"presence-a","auth":"x","channel_data":["x"]}}`,
		"70 channel_data string":  `{"event":"pusher:subscribe","data":{"channel":"presence-a","auth":"x","channel_data":"Hello"}}`,
		"71 client event channel": `{"event":"client-start-typing","channel":["a"],"data":{}}`,
		"unknown pusher event":    `{"event":"pusher:unknown","data":{}}`,
		"established":             `{"event":"pusher:connection_established"}`,
		"empty object":            `{}`, "list": `[]`, "empty": ``, "trailing comma": `{"event":"pusher:ping",}`,
		"lone surrogate": `{"event":"\ud800"}`,
	} {
		t.Run(name, func(t *testing.T) {
			c := testclient.Connect(t, s.Addr, key)
			c.Send(text)
			c.ExpectError(4200, invalid)
			c.Quiet()
		})
	}
}

func TestMessageSize(t *testing.T) {
	s := start(t, "", "")
	t.Run("72 over the limit of 1 byte", func(t *testing.T) {
		c := testclient.Dial(t, s.Addr, "reverb-key-3", testclient.DialOptions{Origin: "http://laravel.com"})
		c.Established()
		c.Send(`{}`)
		if e := c.ExpectClose(1009); e.Reason != "Maximum message size exceeded" {
			t.Fatalf("reason %q", e.Reason)
		}
	})
	t.Run("72 over the limit of 10000 bytes", func(t *testing.T) {
		c := testclient.Connect(t, s.Addr, key)
		c.Send(strings.Repeat("x", 10_000))
		c.ExpectError(4200, invalid)
		c.Send(strings.Repeat("x", 10_001))
		c.ExpectClose(1009)
	})
	t.Run("73 large message on the large app", func(t *testing.T) {
		c := testclient.Connect(t, s.Addr, "reverb-key-2")
		c.Join("reverb-secret-2", "test", "")
		c.Send(`{"event":"client-a","channel":"test","data":{"a":"` + strings.Repeat("x", 20_000) + `"}}`)
		c.Quiet()
	})
}

func TestRateLimit(t *testing.T) {
	const three = "\n[apps.rate_limiting]\nenabled = true\nmax_attempts = 3\ndecay_seconds = 60\n"
	t.Run("74 refused", func(t *testing.T) {
		s := start(t, "", three)
		c := testclient.Connect(t, s.Addr, key)
		for range 3 {
			c.Quiet()
		}
		for range 2 {
			c.Send(`{"event":"pusher:ping"}`)
			c.ExpectError(4301, "Rate limit exceeded")
		}
	})
	t.Run("75 terminated", func(t *testing.T) {
		s := start(t, "", three+"terminate_on_limit = true\n")
		c := testclient.Connect(t, s.Addr, key)
		for range 3 {
			c.Quiet()
		}
		c.Send(`{"event":"pusher:ping"}`)
		c.ExpectError(4301, "Rate limit exceeded")
		c.ExpectClose(1008)
	})
	t.Run("76 not configured", func(t *testing.T) {
		s := start(t, "", "")
		c := testclient.Connect(t, s.Addr, key)
		for i := range 10 {
			c.Join(secret, fmt.Sprint("test-", i), "")
		}
	})
}
