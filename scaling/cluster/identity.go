package cluster

import (
	"crypto/rand"
	"encoding/hex"
	"sync/atomic"
)

// nodeID names a process or one incarnation of a node. The zero nodeID names nobody.
type nodeID [8]byte

// newNodeID draws an id.
func newNodeID() nodeID {
	var id nodeID
	rand.Read(id[:]) // never fails
	return id
}

// String returns 16 hexadecimal digits.
func (id nodeID) String() string { return hex.EncodeToString(id[:]) }

// identity is the ids of this node. Its lease and its members belong to an incarnation, which is a new one each time that the others may have
// taken it for dead. What it publishes belongs to the process: the others must see whether something is missing across incarnations, too.
// All methods may be called from any goroutine; only one may renew.
type identity struct {
	process     nodeID // constant
	incarnation atomic.Pointer[nodeID]
}

func newIdentity() *identity {
	n := &identity{process: newNodeID()}
	n.renew()
	return n
}

// id is the present incarnation.
func (n *identity) id() nodeID { return *n.incarnation.Load() }

// renew makes this node a new incarnation.
func (n *identity) renew() nodeID {
	id := newNodeID()
	n.incarnation.Store(&id)
	return id
}
