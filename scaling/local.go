package scaling

import "errors"

// ErrNotStarted is what a relay without a Handler answers.
var ErrNotStarted = errors.New("scaling: the relay is not started")

// Local is the relay of a single node: what is published is delivered before Publish returns, by a function call.
// The zero value is ready for Start.
type Local struct {
	handler Handler // constant after Start
}

var _ Relay = (*Local)(nil)

// NewLocal returns the relay of a single node.
func NewLocal() *Local { return &Local{} }

// Start makes h the node. It never fails.
func (l *Local) Start(h Handler) error {
	l.handler = h
	return nil
}

// Publish delivers m to this node, which is all there is.
func (l *Local) Publish(m Message) error {
	if l.handler == nil {
		return ErrNotStarted
	}
	if m.Elsewhere {
		return nil
	}
	return l.handler.Deliver(m)
}

// Terminate closes the connections of the app's user.
func (l *Local) Terminate(app, userID string) {
	if l.handler != nil {
		l.handler.Terminate(app, userID)
	}
}

// Status is always up.
func (l *Local) Status() Status { return Status{Up: true, Nodes: 1} }

// Nodes is nil: there are no other nodes.
func (l *Local) Nodes() []Node { return nil }

// Close does nothing: there is nothing to end.
func (l *Local) Close() {}
