package cluster

import (
	"encoding/json"
	"time"

	"reverb/scaling"
)

// about is what a node tells people of itself with each beat.
type about struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	Started int64  `json:"started"` // Unix milliseconds
}

// maxAbout bounds what is taken of another node's name and version, in bytes.
const maxAbout = 128

func encodeAbout(o *Options, started time.Time) string {
	text, _ := json.Marshal(about{o.Name, o.Version, started.UnixMilli()}) // strings and a number are always JSON
	return string(text)
}

// readAbout reads what a node has told; of a program that tells nothing only its id is known.
func readAbout(id, text string) scaling.Node {
	n := scaling.Node{ID: id}
	var a about
	if json.Unmarshal([]byte(text), &a) != nil {
		return n
	}
	n.Name, n.Version = a.Name[:min(len(a.Name), maxAbout)], a.Version[:min(len(a.Version), maxAbout)]
	if a.Started > 0 {
		n.Started = time.UnixMilli(a.Started)
	}
	return n
}

// aboutField is where it stands among the connections of the nodes; scripts/nodes.lua has the same.
func aboutField(node string) string { return node + "/about" }

// Nodes are the other nodes that live; see scaling.Monitor.
func (r *Relay) Nodes() []scaling.Node {
	l := &r.presence.lease
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.others.nodes
}
