package scaling

// STUB of the exported contract; the owner of this package replaces this file with the files of the house.

import "reverb/protocol"

// Message is one event on its way to every node's subscribers of a channel.
type Message struct {
	App, Channel string
	Payload      []byte            // finished JSON of the event, as clients will see it
	Except       protocol.SocketID // zero: nobody
	Cache        bool              // keep it in a cache channel
}

// Handler is the node: what a relay hands its messages to.
type Handler interface {
	Deliver(m Message) error
	Terminate(app, userID string)
}

// Relay carries messages between nodes. Local is the one of a single node: a function call.
type Relay interface {
	Start(h Handler) error
	Publish(m Message) error
	Terminate(app, userID string)
	Close()
}
