package bus_test

import (
	"fmt"
	"slices"
	"strconv"
	"testing"
	"time"

	"reverb/internal/redistest"
	"reverb/scaling/bus"
)

func at(s *redistest.Server) bus.Options { return bus.Options{Addrs: []string{s.Addr}} }

func numbers(n int) []string {
	all := make([]string, n)
	for i := range all {
		all[i] = strconv.Itoa(i)
	}
	return all
}

func TestPublishesInOrder(t *testing.T) {
	redis := redistest.Start(t)
	from, to := up(t, at(redis)), up(t, at(redis))
	to.subscribe("{a}", "{b}")
	const n = 5000
	for _, number := range numbers(n) {
		from.publish("{a}", number)
		from.publish("{b}", number)
	}
	to.await("all messages", func() bool { return to.count("{a}") == n && to.count("{b}") == n })
	for _, name := range []string{"{a}", "{b}"} {
		if got := to.messages(name); !slices.Equal(got, numbers(n)) {
			t.Errorf("%s is out of order", name)
		}
	}
	from.await("nothing to wait", func() bool { s := from.State(); return s.Waiting == 0 && s.WaitingBytes == 0 })
}

func TestCommandsKeepTheOrderOfPublications(t *testing.T) {
	redis := redistest.Start(t)
	p := up(t, at(redis))
	p.subscribe("x")
	p.publish("x", "first")
	p.await("the first message", func() bool { return p.count("x") == 1 }) // until then a publication may wait, and a command does not
	script := bus.NewScript(`return redis.call("` + p.PublishCommand() + `", ARGV[1], ARGV[2])`)
	want := []string{"first"}
	for i := range 1000 {
		p.publish("x", fmt.Sprint("m", i))
		p.Do(bus.Command{Script: script, Keys: []string{"k"}, Args: []string{"x", fmt.Sprint("s", i)}}, nil)
		want = append(want, fmt.Sprint("m", i), fmt.Sprint("s", i))
	}
	p.await("all messages", func() bool { return p.count("x") == len(want) })
	if got := p.messages("x"); !slices.Equal(got, want) {
		t.Errorf("out of order: %v", got[:20])
	}
}

func TestReplies(t *testing.T) {
	redis := redistest.Start(t)
	p := up(t, at(redis))
	if r := p.do(bus.Command{Name: "GET", Keys: []string{"none"}}); !r.IsNil() || r.Err() != nil {
		t.Errorf("no such key: nil %v, error %v", r.IsNil(), r.Err())
	}
	script := bus.NewScript(`return {1, "two", {3}, false}`)
	for range 2 { // in full, then by its hash
		list, err := p.do(bus.Command{Script: script, Keys: []string{"k"}}).List()
		if err != nil || len(list) != 4 {
			t.Fatalf("got %v, error %v", list, err)
		}
		one, _ := list[0].Int()
		two, _ := list[1].Text()
		three, _ := list[2].List()
		if one != 1 || two != "two" || len(three) != 1 || !list[3].IsNil() {
			t.Errorf("got %d %q %v", one, two, three)
		}
	}
	p.do(bus.Command{Name: "HSET", Keys: []string{"h"}, Args: []string{"f", "v"}})
	if m, err := p.do(bus.Command{Name: "HGETALL", Keys: []string{"h"}}).Map(); err != nil || m["f"] != "v" {
		t.Errorf("got %v, error %v", m, err)
	}
	if r := p.do(bus.Command{Name: "HGET", Keys: []string{"h"}}); r.Err() == nil || isDown(r.Err()) {
		t.Errorf("wrong number of arguments: got %v", r.Err())
	}
	redis.Do("SCRIPT", "FLUSH")
	if r := p.do(bus.Command{Script: script, Keys: []string{"k"}}); r.Err() != nil {
		t.Errorf("after SCRIPT FLUSH: %v", r.Err())
	}
}

func TestPublishCount(t *testing.T) {
	redis := redistest.Start(t)
	a, b := up(t, at(redis)), up(t, at(redis))
	a.subscribe("x")
	b.subscribe("x")
	counts := make(chan int, 1)
	a.PublishCount("x", []byte("?"), func(n int, err error) {
		if err != nil {
			t.Error(err)
		}
		counts <- n
	})
	if n := receive(t, counts); n != 2 {
		t.Errorf("got %d receivers, want 2", n)
	}
}

func TestKeepsBeforeItPublishes(t *testing.T) {
	redis := redistest.Start(t)
	p := up(t, at(redis))
	p.subscribe("x")
	keep := &bus.Keep{Key: "x:e", Value: []byte("last"), TTL: time.Minute}
	if err := p.Publish(bus.Message{Name: "x", Payload: []byte("m"), Keep: keep}); err != nil {
		t.Fatal(err)
	}
	p.await("the message", func() bool { return p.count("x") == 1 })
	if got := redis.Do("GET", "x:e"); got != "last" {
		t.Errorf("got %v", got)
	}
	if ttl, _ := redis.Do("PTTL", "x:e").(int64); ttl <= 0 || ttl > 60_000 {
		t.Errorf("got %v ms to live", ttl)
	}
}

func TestSubscribeAndUnsubscribe(t *testing.T) {
	redis := redistest.Start(t)
	p := up(t, at(redis))
	names := make([]string, 2500)
	for i := range names {
		names[i] = fmt.Sprintf("{n%d}", i)
	}
	p.subscribe(names...)
	for _, name := range names {
		if redis.Subscribers(name) != 1 {
			t.Fatalf("%s is not subscribed though it was confirmed", name)
		}
		p.Unsubscribe(name)
		if len(name)%2 == 0 { // at once wanted again
			p.Subscribe(name, nil)
		}
	}
	p.await("the right subscriptions", func() bool {
		return redis.Subscribers("{n7}") == 1 && redis.Subscribers("{n10}") == 0 && redis.Subscribers("{n777}") == 1
	})
	p.subscribe("{n10}")
	if redis.Subscribers("{n10}") != 1 {
		t.Error("subscribed again: not confirmed")
	}
}

func TestWrongOptions(t *testing.T) {
	for name, o := range map[string]bus.Options{
		"no address":            {},
		"address without port":  {Addrs: []string{"redis"}},
		"two without a cluster": {Addrs: []string{"a:1", "b:1"}},
		"database in a cluster": {Addrs: []string{"a:1"}, Cluster: true, Database: 1},
		"sentinel in a cluster": {Cluster: true, Sentinel: bus.Sentinel{Master: "m", Addrs: []string{"a:1"}}},
		"sentinel, no master":   {Addrs: []string{"a:1"}, Sentinel: bus.Sentinel{Addrs: []string{"a:1"}}},
	} {
		if b, err := bus.Open(o, bus.Hooks{Up: func() {}, Message: func(string, []byte) {}}); err == nil {
			b.Close()
			t.Errorf("%s: no error", name)
		}
	}
}
