package client

import (
	"sync"
	"sync/atomic"
)

// Client is one connection of a Fleet. Tag and N belong to the caller; the methods may be called by any goroutine and never wait.
//
// Messages sent before Connected or after Closed are dropped. After Close or Kill nothing but Closed is heard.
type Client struct {
	Tag any
	N   int

	// Constant after Dial.
	fleet   *Fleet
	handler Handler
	via     transport

	// Owned by the client's loop.
	partial  []byte // what came of a fragmented message; nil when there is none
	began    int64  // when it began to connect
	activity uint16 // s: the server's activity_timeout
	opened   bool   // Connected was called
	pinged   bool   // our pusher:ping waits for its pusher:pong

	// Written under mu, read by anyone.
	state atomic.Int32

	mu sync.Mutex // guards id and the transport's output
	id string
}

// States of a client; they only grow.
const (
	stateUpgrading int32 = iota // until the head of the answer was read
	stateGreeting               // until connection_established
	stateOpen
	stateLeaving // closed by us, the end of the connection is waited for
	stateGone
)

// transport carries the bytes of one client: a socket of a loop, or a stream.
type transport interface {
	sendLocked(frame []byte) // takes or copies all of frame, called with mu held and the connection not gone
	established()            // connection_established was read; on the loop
	leave(was int32)         // the close frame was sent; end when the server does, or soon
	kill()                   // end at once, with a reset
	pause(on bool)
}

// SocketID is the id the server gave, empty before Connected.
func (c *Client) SocketID() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.id
}

// Began is when the client began to connect, on the clock of Now: a client beyond Options.Connecting waits for its turn.
// It is for Handler calls.
func (c *Client) Began() int64 { return c.began }

// Subscribe sends pusher:subscribe, signed for private and presence channels. channelData is the JSON text of a presence member.
func (c *Client) Subscribe(channel, channelData string) {
	f := newFrame()
	f.b = append(f.b, `{"event":"pusher:subscribe","data":{"channel":`...)
	f.b = appendQuoted(f.b, channel)
	if needsAuth(channel) {
		f.b = append(f.b, `,"auth":"`...)
		f.b = c.fleet.signer.appendChannelAuth(f.b, c.SocketID(), channel, channelData)
		f.b = append(f.b, '"')
	}
	if channelData != "" {
		f.b = append(f.b, `,"channel_data":`...)
		f.b = appendQuoted(f.b, channelData)
	}
	f.b = append(f.b, "}}"...)
	c.post(f)
}

// Unsubscribe sends pusher:unsubscribe, which no server answers.
func (c *Client) Unsubscribe(channel string) {
	f := newFrame()
	f.b = append(f.b, `{"event":"pusher:unsubscribe","data":{"channel":`...)
	f.b = appendQuoted(f.b, channel)
	f.b = append(f.b, "}}"...)
	c.post(f)
}

// Trigger sends a client event. dataJSON is a JSON value.
func (c *Client) Trigger(event, channel, dataJSON string) {
	f := newFrame()
	f.b = append(f.b, `{"event":`...)
	f.b = appendQuoted(f.b, event)
	f.b = append(f.b, `,"channel":`...)
	f.b = appendQuoted(f.b, channel)
	f.b = append(f.b, `,"data":`...)
	f.b = append(f.b, dataJSON...)
	f.b = append(f.b, '}')
	c.post(f)
}

// Send sends one text message as it is. text is the caller's again when Send returns.
func (c *Client) Send(text []byte) {
	f := newFrame()
	f.b = append(f.b, text...)
	c.post(f)
}

// Close sends a close frame with 1000; the connection ends when the server ends it, or after 5 s.
func (c *Client) Close() {
	c.mu.Lock()
	was := c.state.Load()
	if was >= stateLeaving {
		c.mu.Unlock()
		return
	}
	c.state.Store(stateLeaving) // before the frame: the server's answer to it is no close of the server's
	if was > stateUpgrading {
		f := newFrame()
		f.b = append(f.b, 1000>>8, 1000&0xff)
		c.via.sendLocked(f.seal(opClose))
		f.free()
	}
	c.mu.Unlock()
	c.via.leave(was)
}

// Kill resets the TCP connection, as a phone that loses its network and a proxy that dies.
func (c *Client) Kill() {
	c.mu.Lock()
	gone := c.state.Load() == stateGone
	if !gone {
		c.state.Store(stateLeaving)
	}
	c.mu.Unlock()
	if !gone {
		c.via.kill()
	}
}

// Pause stops reading: the socket's buffers fill, and then the server's. Bytes that have been read are still delivered.
func (c *Client) Pause() { c.via.pause(true) }

// Resume reads again.
func (c *Client) Resume() { c.via.pause(false) }

// post sends f as a text, unless the client is not open, and frees it.
func (c *Client) post(f *outFrame) {
	frame := f.seal(opText)
	c.mu.Lock()
	if c.state.Load() == stateOpen {
		c.via.sendLocked(frame)
	}
	c.mu.Unlock()
	f.free()
}
