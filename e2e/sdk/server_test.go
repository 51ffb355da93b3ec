package sdk_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/pusher/pusher-http-go/v5"
)

func library(addr string) *pusher.Client {
	return &pusher.Client{AppID: appID, Key: key, Secret: secret, Host: addr}
}

func number(n int) *int { return &n }

func text(s string) *string { return &s }

func TestPublish(t *testing.T) {
	addr := startServer(t)
	client := library(addr)
	one, two := connect(t, addr), connect(t, addr)
	for _, b := range []*browser{one, two} {
		b.join(client, "news", "")
		b.join(client, "private-news", "")
	}
	for i, publish := range []func() error{
		func() error { return client.Trigger("news", "e", map[string]int{"n": 1}) },
		func() error { return client.TriggerMulti([]string{"private-news", "nobody"}, "e", "text") },
		func() error { return client.TriggerExclusive("news", "e", "for the other", one.socketID) },
	} {
		if err := publish(); err != nil {
			t.Fatalf("%d: %v", i, err)
		}
		for _, b := range []*browser{one, two} {
			if i == 2 && b == one {
				continue
			}
			if m := b.next(); m.Event != "e" {
				t.Errorf("%d: got %+v", i, m)
			}
		}
	}
	if err := client.SendToUser("7", "e", "x"); err != nil {
		t.Error(err)
	}
	if err := client.Trigger("news", "last", "x"); err != nil {
		t.Fatal(err)
	}
	if m := one.next(); m.Event != "last" {
		t.Errorf("the excluded connection got %+v", m)
	}
}

func TestInfo(t *testing.T) {
	addr := startServer(t)
	client := library(addr)
	connect(t, addr).join(client, "news", "")
	for _, user := range []string{"1", "2", "2"} {
		connect(t, addr).join(client, "presence-room", user)
	}
	both := text("user_count,subscription_count")

	list, err := client.TriggerMultiWithParams([]string{"news", "presence-room", "presence-none"}, "e", "x", pusher.TriggerParams{Info: both})
	if want := map[string]pusher.TriggerChannelListItem{
		"news":          {SubscriptionCount: number(1)},
		"presence-room": {UserCount: number(2), SubscriptionCount: number(3)},
		"presence-none": {UserCount: number(0), SubscriptionCount: number(0)},
	}; err != nil || !reflect.DeepEqual(list.Channels, want) {
		t.Errorf("got %+v, %v", list, err)
	}
	batch, err := client.TriggerBatch([]pusher.Event{{Channel: "news", Name: "e", Data: "x"}, {Channel: "presence-room", Name: "e", Data: "x"}})
	if err != nil || !reflect.DeepEqual(batch, &pusher.TriggerBatchChannelsList{}) {
		t.Errorf("a batch that asks for nothing: %+v, %v", batch, err)
	}
	batch, err = client.TriggerBatch([]pusher.Event{
		{Channel: "news", Name: "e", Data: "x", Info: text("subscription_count")},
		{Channel: "other", Name: "e", Data: "x"},
		{Channel: "presence-none", Name: "e", Data: "x", Info: both},
	})
	if want := []pusher.TriggerBatchChannelListItem{
		{SubscriptionCount: number(1)}, {}, {UserCount: number(0), SubscriptionCount: number(0)},
	}; err != nil || !reflect.DeepEqual(batch.Batch, want) {
		t.Errorf("a batch: %+v, %v", batch, err)
	}
}

func TestQueries(t *testing.T) {
	addr := startServer(t)
	client := library(addr)
	connect(t, addr).join(client, "news", "")
	for _, user := range []string{"1", "a"} {
		connect(t, addr).join(client, "presence-room", user)
	}
	all, err := client.Channels(pusher.ChannelsParams{})
	if want := map[string]pusher.ChannelListItem{"news": {}, "presence-room": {}}; err != nil || !reflect.DeepEqual(all.Channels, want) {
		t.Errorf("channels: %+v, %v", all, err)
	}
	all, err = client.Channels(pusher.ChannelsParams{FilterByPrefix: text("presence-"), Info: text("user_count")})
	if want := map[string]pusher.ChannelListItem{"presence-room": {UserCount: 2}}; err != nil || !reflect.DeepEqual(all.Channels, want) {
		t.Errorf("presence channels: %+v, %v", all, err)
	}
	if _, err = client.Channels(pusher.ChannelsParams{Info: text("user_count")}); err == nil || !strings.Contains(err.Error(), "400") {
		t.Errorf("user_count of all channels: %v, want 400", err)
	}
	one, err := client.Channel("presence-room", pusher.ChannelParams{Info: text("user_count,subscription_count")})
	if want := (&pusher.Channel{Name: "presence-room", Occupied: true, UserCount: 2, SubscriptionCount: 2}); err != nil || !reflect.DeepEqual(one, want) {
		t.Errorf("channel: %+v, %v", one, err)
	}
	for channel, want := range map[string][]pusher.User{"presence-room": {{ID: "1"}, {ID: "a"}}, "presence-none": {}} {
		if users, err := client.GetChannelUsers(channel); err != nil || !reflect.DeepEqual(users.List, want) {
			t.Errorf("users of %s: %+v, %v", channel, users, err)
		}
	}
	if _, err := client.GetChannelUsers("news"); err == nil || !strings.Contains(err.Error(), "400") {
		t.Errorf("users of no presence channel: %v, want 400", err)
	}
}

func TestRefusals(t *testing.T) {
	client := library(startServer(t))
	client.OverrideMaxMessagePayloadKB = 100
	long := strings.Repeat("a", 10<<10)
	if err := client.Trigger("news", "e", long); err != nil {
		t.Errorf("10 KiB: %v", err)
	}
	if err := client.Trigger("news", "e", long+"a"); err == nil || !strings.Contains(err.Error(), "413") || !strings.Contains(err.Error(), "content of this event") {
		t.Errorf("more than 10 KiB: %v, want 413", err)
	}
	var events []pusher.Event
	for i := range 11 {
		events = append(events, pusher.Event{Channel: "news", Name: "e", Data: fmt.Sprint(i)})
	}
	if _, err := client.TriggerBatch(events[:10]); err != nil {
		t.Errorf("10 events: %v", err)
	}
	if _, err := client.TriggerBatch(events); err == nil || !strings.Contains(err.Error(), "400") || !strings.Contains(err.Error(), "Batch too large") {
		t.Errorf("11 events: %v, want 400", err)
	}
	client.Secret = "another"
	if err := client.Trigger("news", "e", "x"); err == nil || !strings.Contains(err.Error(), "401") {
		t.Errorf("another secret: %v, want 401", err)
	}
}
