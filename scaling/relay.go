package scaling

import "reverb/protocol"

// Message is one event on its way to every node's subscribers of a channel.
type Message struct {
	App, Channel string
	Payload      []byte            // finished JSON of the event, as clients will see it; not changed by anybody from Publish on
	Except       protocol.SocketID // the socket that does not get it; zero: nobody
	Cache        bool              // keep it in a cache channel
}

// Handler is the node: what a relay hands its messages to. It may be called from many goroutines.
type Handler interface {
	// Deliver brings the message to the subscribers of this node. It does not wait for sockets.
	Deliver(m Message) error

	// Terminate closes the connections of the app's user on this node.
	Terminate(app, userID string)
}

// Relay carries messages between nodes. Start comes before everything else and Close after it; the rest may be called from any
// goroutine.
type Relay interface {
	// Start tells the relay where to deliver.
	Start(h Handler) error

	// Publish brings the message to every node, this one included. The error is that of this node's own delivery or says
	// that the message could not be passed on.
	Publish(m Message) error

	// Terminate closes the connections of the app's user on every node.
	Terminate(app, userID string)

	// Close ends the relay and waits for its goroutines.
	Close()
}
