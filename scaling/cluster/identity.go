package cluster

import (
	"crypto/rand"
	"encoding/hex"
	"slices"
	"sync/atomic"
)

// nodeID names one incarnation of a node. The zero nodeID names nobody.
type nodeID [8]byte

// newNodeID draws an id.
func newNodeID() nodeID {
	var id nodeID
	rand.Read(id[:]) // never fails
	return id
}

// String returns 16 hexadecimal digits.
func (id nodeID) String() string { return hex.EncodeToString(id[:]) }

// parseNodeID reads what String gives.
func parseNodeID(s string) (id nodeID, ok bool) {
	if len(s) != 2*len(id) {
		return nodeID{}, false
	}
	_, err := hex.Decode(id[:], []byte(s))
	return id, err == nil
}

// rememberedIDs is how many former ids a node still knows as its own: what it sent under them may come back.
const rememberedIDs = 16

// identity is who this node is: an id, and a new one after each time that the others may have taken it for dead. All methods may be
// called from any goroutine; only one may renew.
type identity struct {
	first nodeID                   // constant: names the Redis channel where answers to this process arrive
	ids   atomic.Pointer[[]nodeID] // the present one first; never changed once stored
}

func newIdentity() *identity {
	n := &identity{first: newNodeID()}
	n.ids.Store(&[]nodeID{n.first})
	return n
}

// id is the present id.
func (n *identity) id() nodeID { return (*n.ids.Load())[0] }

// is reports whether id is or lately was this node.
func (n *identity) is(id nodeID) bool { return slices.Contains(*n.ids.Load(), id) }

// renew makes this node a new incarnation.
func (n *identity) renew() nodeID {
	former := *n.ids.Load()
	ids := append([]nodeID{newNodeID()}, former[:min(len(former), rememberedIDs-1)]...)
	n.ids.Store(&ids)
	return ids[0]
}
