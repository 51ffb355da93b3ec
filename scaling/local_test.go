package scaling_test

import (
	"errors"
	"testing"

	"go.uber.org/goleak"

	"reverb/outbound"
	"reverb/scaling"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// node is a Handler that notes what it is given.
type node struct {
	scaling.Handler // nil: a relay of one node calls nothing else
	delivered       []scaling.Message
	terminated      []string
	err             error
}

func (n *node) Deliver(m scaling.Message) error {
	n.delivered = append(n.delivered, m)
	return n.err
}

func (n *node) Terminate(app, userID string) { n.terminated = append(n.terminated, app+" "+userID) }

func TestLocalDeliversBeforePublishReturns(t *testing.T) {
	n := &node{}
	r := scaling.NewLocal()
	if err := r.Start(n); err != nil {
		t.Fatalf("Start: %v", err)
	}
	defer r.Close()

	want := scaling.Message{App: "app", Channel: "room", Payload: outbound.New(`{}`), Cache: true}
	if err := r.Publish(want); err != nil {
		t.Fatalf("Publish: %v", err)
	}
	if len(n.delivered) != 1 || n.delivered[0].Channel != "room" || !n.delivered[0].Cache {
		t.Errorf("delivered %+v, want %+v", n.delivered, want)
	}
	r.Terminate("app", "7")
	if len(n.terminated) != 1 || n.terminated[0] != "app 7" {
		t.Errorf("terminated %v, want [app 7]", n.terminated)
	}
}

func TestLocalReturnsTheErrorOfTheNode(t *testing.T) {
	refused := errors.New("refused")
	r := scaling.NewLocal()
	if err := r.Start(&node{err: refused}); err != nil {
		t.Fatalf("Start: %v", err)
	}
	if err := r.Publish(scaling.Message{}); !errors.Is(err, refused) {
		t.Errorf("Publish: %v, want %v", err, refused)
	}
}

func TestLocalBeforeStart(t *testing.T) {
	var r scaling.Local
	if err := r.Publish(scaling.Message{}); !errors.Is(err, scaling.ErrNotStarted) {
		t.Errorf("Publish: %v, want %v", err, scaling.ErrNotStarted)
	}
	r.Terminate("app", "7") // must not panic
}

func TestLocalIsAlone(t *testing.T) {
	n := &node{}
	r := scaling.NewLocal()
	if err := r.Start(n); err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if err := r.Publish(scaling.Message{Elsewhere: true}); err != nil || len(n.delivered) != 0 {
		t.Errorf("a message for the others was delivered: %v, %v", n.delivered, err)
	}
	if s := r.Status(); !s.Up || s.Nodes != 1 || len(r.Nodes()) != 0 {
		t.Errorf("status %+v, other nodes %v", s, r.Nodes())
	}
}
