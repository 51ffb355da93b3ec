package cluster_test

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/gobwas/ws"

	"reverb/internal/redistest"
	"reverb/internal/testclient"
)

// oneMayHold is what one connection can make a node, or Redis, hold at most, in bytes: docs/limits.md.
const oneMayHold = 16 << 20

// longest is as long as a name fits into a message of the default size.
const longest = 9_800

// longestName is as long as a name may be.
const longestName = 1 << 10

// flood is one connection that says much and listens to nothing.
type flood struct {
	c    *testclient.Client
	text bytes.Buffer // frames that were not written yet
	cut  bool         // the node takes no more

	joined chan struct{} // one for each that succeeded
	done   chan struct{}
}

func newFlood(n *node) *flood {
	f := &flood{c: n.connect(), joined: make(chan struct{}, 100_000), done: make(chan struct{})}
	go func() {
		defer close(f.done)
		for {
			_, payload, err := f.c.Frame()
			switch {
			case err != nil || string(payload) == `{"event":"pusher:pong"}`:
				return
			case bytes.HasPrefix(payload, []byte(`{"event":"pusher_internal:subscription_succeeded"`)):
				f.joined <- struct{}{}
			}
		}
	}()
	return f
}

func (f *flood) say(event, data, rest string) {
	f.frame(ws.NewTextFrame([]byte(`{"event":"` + event + `","data":` + data + rest + `}`)))
}

func (f *flood) frame(frame ws.Frame) {
	_ = ws.WriteFrame(&f.text, ws.MaskFrame(frame)) // a buffer takes all
	if f.text.Len() > 1<<20 {
		f.write()
	}
}

func (f *flood) write() {
	f.cut = f.c.Write(f.text.Bytes()) != nil || f.cut // a server that hangs up is seen by end, too
	f.text.Reset()
}

// join subscribes to channels, which are joined when it returns.
func (f *flood) join(channels []string) {
	f.subscribeAll(channels)
	f.write()
	for range channels {
		<-f.joined
	}
}

func (f *flood) subscribeAll(channels []string) {
	for _, channel := range channels {
		f.subscribe(channel)
	}
}

func (f *flood) leave(channels []string) {
	for _, channel := range channels {
		f.unsubscribe(channel)
	}
}

// visit is a join that waits for nothing.
func (f *flood) visit(channels []string) {
	f.subscribeAll(channels)
	f.leave(channels)
}

func (f *flood) whisperAll(channels []string, data string) {
	for _, channel := range channels {
		f.whisper(channel, data)
	}
}

func (f *flood) subscribe(channel string) {
	f.say("pusher:subscribe", `{"channel":"`+channel+`"}`, "")
}
func (f *flood) unsubscribe(channel string) {
	f.say("pusher:unsubscribe", `{"channel":"`+channel+`"}`, "")
}
func (f *flood) whisper(channel, data string) {
	f.say("client-x", `{"x":"`+data+`"}`, `,"channel":"`+channel+`"`)
}

// end waits until the server has taken everything.
func (f *flood) end() {
	f.say("pusher:ping", `{}`, "")
	f.write()
	<-f.done
}

// name is a name of so many bytes that is like no other.
func name(prefix string, i, size int) string {
	return fmt.Sprintf("%s%06d-%s", prefix, i, strings.Repeat("x", max(0, size-len(prefix)-7)))
}

// each calls do for so many names, few at a time.
func each(count, size int, prefix string, do func(names []string)) {
	const few = 50
	for i := 0; i < count; i += few {
		names := make([]string, min(few, count-i))
		for j := range names {
			names[j] = name(prefix, i+j, size)
		}
		do(names)
	}
}

// status is a line of the node's /proc/<pid>/status, in bytes.
func (n *node) status(key string) int64 {
	n.t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", n.PID()))
	if err != nil {
		n.t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, key+":"); ok {
			kb, _ := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 10, 64)
			return kb << 10
		}
	}
	n.t.Fatalf("no %s", key)
	return 0
}

// redisBytes is what Redis holds.
func redisBytes(t *testing.T, s *redistest.Server) int64 {
	t.Helper()
	info, _ := s.Do("INFO", "memory").(string)
	_, rest, _ := strings.Cut(info, "used_memory:")
	value, _, _ := strings.Cut(rest, "\r")
	n, err := strconv.ParseInt(value, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// TestOneConnectionHoldsLittle: one connection that knows nothing but the key of the app may do anything, and as fast as it likes: neither the node
// nor Redis holds more than a few MiB for it.
func TestOneConnectionHoldsLittle(t *testing.T) {
	const all = `accept_client_events_from = "all"`
	event := strings.Repeat("x", longest)
	const members = "members of presence channels"
	attacks := []struct {
		name, app string
		do        func(f *flood)
	}{
		{members, "", func(f *flood) {
			each(4_000, 20, "presence-", func(names []string) {
				for _, channel := range names {
					f.c.Subscribe(secret, channel, `{"user_id":1,"user_info":"`+event[:longest/2]+`"}`)
				}
			})
		}},
		{"members of short presence channels that it stays in", "", func(f *flood) {
			each(9_000, 20, "presence-", func(names []string) {
				for _, channel := range names {
					f.c.Subscribe(secret, channel, `{"user_id":"u"}`)
				}
			})
		}},
		{"members of presence channels that it leaves", "", func(f *flood) {
			each(8_000, 20, "presence-", func(names []string) {
				for _, channel := range names {
					f.c.Subscribe(secret, channel, `{"user_id":1,"user_info":"`+event[:8_000]+`"}`)
				}
				f.leave(names)
				f.write()
			})
		}},
		{"cached events of channels that it leaves", "", func(f *flood) {
			each(4_000, 20, "cache-", func(names []string) {
				f.join(names)
				for _, channel := range names {
					f.whisper(channel, event)
					f.unsubscribe(channel)
				}
			})
		}},
		{"cached events of channels that it stays in", "", func(f *flood) {
			each(4_000, 20, "cache-", func(names []string) {
				f.join(names)
				for _, channel := range names {
					f.whisper(channel, event)
				}
			})
		}},
		{"cached events of channels that it is not in", all, func(f *flood) {
			each(4_000, 20, "cache-", func(names []string) { f.whisperAll(names, event) })
		}},
		{"long channels that it leaves", "", func(f *flood) {
			each(20_000, longest, "", func(names []string) { f.visit(names) })
		}},
		{"channels that it leaves", "", func(f *flood) {
			each(20_000, longestName, "", func(names []string) {
				f.join(names)
				f.leave(names)
			})
		}},
		{"long channels that it whispers to", all, func(f *flood) {
			each(20_000, longest, "", func(names []string) { f.whisperAll(names, "") })
		}},
		{"channels that it whispers to", all, func(f *flood) {
			each(100_000, longestName, "", func(names []string) { f.whisperAll(names, "") })
		}},
		{"short channels that it whispers to", all, func(f *flood) {
			each(100_000, 20, "", func(names []string) { f.whisperAll(names, "") })
		}},
		{"long channels that it stays in", "", func(f *flood) {
			each(10_000, longest, "", func(names []string) { f.subscribeAll(names) })
		}},
		{"channels that it stays in", "", func(f *flood) {
			each(10_000, longestName, "", func(names []string) { f.subscribeAll(names) })
		}},
		{"short channels that it stays in", "", func(f *flood) {
			each(20_000, 20, "", func(names []string) { f.subscribeAll(names) })
		}},
	}
	for _, attack := range attacks {
		t.Run(attack.name, func(t *testing.T) { holdsLittle(t, attack.app, true, attack.do) })
		if strings.Contains(attack.name, "stays in") || attack.name == members {
			t.Run(attack.name+" of a node alone", func(t *testing.T) { holdsLittle(t, attack.app, false, attack.do) })
		}
	}
}

// holdsLittle attacks one node and looks at what it holds, and at what Redis does.
func holdsLittle(t *testing.T, app string, scaling bool, attack func(f *flood)) {
	redis := redistest.Start(t)
	n := startNodeAt(t, "native", "port = "+redis.Port(), options{app: app, scaling: "linger = 1"}, fmt.Sprintf("REVERB_SCALING_ENABLED=%v", scaling))
	n.connect().Join("", "room", "")
	resident, kept := n.status("VmRSS"), redisBytes(t, redis)
	f := newFlood(n)
	attack(f)
	f.end()
	here, there := n.status("VmHWM")-resident, redisBytes(t, redis)-kept
	t.Logf("the node held %.1f MiB more, Redis %.1f", float64(here)/(1<<20), float64(there)/(1<<20))
	if here > oneMayHold || there > oneMayHold {
		t.Errorf("want at most %d MiB", oneMayHold>>20)
	}
	f.c.Close()
	eventually(t, readWait, "Redis is as before", func() bool { return redisBytes(t, redis)-kept < oneMayHold/16 })
}
