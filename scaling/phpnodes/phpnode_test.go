package phpnodes_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"reverb/internal/redistest"
	"reverb/laravel/php"
	"reverb/protocol"
	"reverb/scaling"
	"reverb/scaling/bus"
	"reverb/scaling/cluster"
	"reverb/scaling/phpnodes"
)

// limit is how long a test waits for what must happen.
const limit = 30 * time.Second

const redisChannel = "reverb"

// phpNode behaves on the Redis channel as a node of Laravel Reverb: it gets everything, answers questions, and would end over what it
// cannot read.
type phpNode struct {
	t   testing.TB
	bus *bus.Bus

	mu sync.Mutex
	// Guarded by mu.
	answers  map[string]string // payloads by MetricType; none: []
	silent   bool              // answers nothing
	survives bool              // a terminate, as Reverb after 1.11.0
	received []string
	asked    []string // MetricTypes of the questions, in order
	replies  []string // payloads of the answers to questions of this node
}

func startPHP(t testing.TB, addr string) *phpNode {
	t.Helper()
	n := &phpNode{t: t, answers: map[string]string{}}
	ready := make(chan struct{})
	b, err := bus.Open(bus.Options{Addrs: []string{addr}}, bus.Hooks{
		Message: func(_ string, payload []byte) { <-ready; n.receive(payload) },
		Up:      func() {},
	})
	if err != nil {
		t.Fatal(err)
	}
	n.bus = b
	close(ready)
	t.Cleanup(b.Close)
	confirmed := make(chan error, 1)
	await(t, "redis", b.Up)
	b.Subscribe(redisChannel, func(err error) { confirmed <- err })
	if err := <-confirmed; err != nil {
		t.Fatal(err)
	}
	return n
}

func (n *phpNode) receive(text []byte) {
	n.mu.Lock()
	defer n.mu.Unlock()
	kind, err := phpReads(text)
	if err != nil || kind == "terminate" && !n.survives {
		n.t.Errorf("a PHP node ends over %s: %v", text, err)
		return
	}
	n.received = append(n.received, string(text))
	switch kind {
	case "message", "terminate":
	case "metrics":
		m, err := phpnodes.DecodeMetric(text)
		if err != nil {
			n.t.Errorf("a PHP node ends over %s: %v", text, err)
		}
		n.asked = append(n.asked, m.Of)
		payload := n.answers[m.Of]
		if payload == "" {
			payload = "[]"
		}
		if !n.silent {
			n.publish(fmt.Sprintf(`{"type":%q,"payload":%s}`, m.Key, payload))
		}
	case ownKey:
		var answer struct{ Payload json.RawMessage }
		_ = json.Unmarshal(text, &answer)
		n.replies = append(n.replies, string(answer.Payload))
	}
}

// ownKey is the key of the questions in the golden files.
const ownKey = "4cOq3cEEjo"

// phpReads is what PusherPubSubIncomingMessageHandler does before it acts, but stricter: what it would warn of is an error.
func phpReads(text []byte) (kind string, err error) {
	for _, c := range text {
		if c >= 0x80 {
			return "", fmt.Errorf("byte %#x is not ASCII", c)
		}
	}
	var message struct {
		Type        string
		Application *string
		Payload     json.RawMessage
	}
	if err := json.Unmarshal(text, &message); err != nil {
		return "", err
	}
	serialised := message.Application
	switch message.Type {
	case "metrics":
		serialised = new(string)
		if err := json.Unmarshal(message.Payload, serialised); err != nil {
			return "", err
		}
	case "message", "terminate":
		if serialised == nil {
			return "", fmt.Errorf("no application")
		}
	default:
		return message.Type, nil
	}
	v, err := php.Decode([]byte(*serialised))
	if err != nil {
		return "", err
	}
	if _, ok := v.(php.Object); !ok {
		return "", fmt.Errorf("%T is no object", v)
	}
	return message.Type, nil
}

func (n *phpNode) publish(text string) {
	if err := n.bus.Publish(bus.Message{Name: redisChannel, Payload: []byte(text)}); err != nil {
		n.t.Error(err)
	}
}

func (n *phpNode) texts(of *[]string) []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Clone(*of)
}

// events are the messages of type message.
func (n *phpNode) events() []string {
	var all []string
	for _, text := range n.texts(&n.received) {
		if kind, _ := phpReads([]byte(text)); kind == "message" {
			all = append(all, text)
		}
	}
	return all
}

// goNode is a node of this program: the relay and what it tells the node.
type goNode struct {
	*phpnodes.Relay
	*node
}

func startGo(t testing.TB, addr string, change ...func(*phpnodes.Options)) *goNode {
	t.Helper()
	redis := bus.Options{Addrs: []string{addr}}
	nodes, err := cluster.New(cluster.Options{Redis: redis, Prefix: "other"})
	if err != nil {
		t.Fatal(err)
	}
	o := phpnodes.Options{Redis: redis, Apps: []phpnodes.App{app}, WholeApp: true}
	for _, f := range change {
		f(&o)
	}
	r, err := phpnodes.New(o, nodes)
	if err != nil {
		t.Fatal(err)
	}
	n := &goNode{r, new(node)}
	if err := r.Start(n.node); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	return n
}

// join subscribes somebody to each channel.
func (n *goNode) join(t testing.TB, channels ...string) {
	t.Helper()
	for _, channel := range channels {
		done := make(chan error, 1)
		n.Join(scaling.Join{App: app.ID, Channel: channel, Kind: protocol.KindOf(channel)}, func(err error) { done <- err })
		select {
		case err := <-done:
			if err != nil {
				t.Fatal(err)
			}
		case <-time.After(limit):
			t.Fatalf("join of %s takes too long", channel)
		}
	}
}

func await(t testing.TB, what string, ok func() bool) {
	t.Helper()
	if !redistest.Eventually(limit, ok) {
		t.Fatalf("no %s", what)
	}
}
