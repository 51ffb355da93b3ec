package poller

import "reverb/transport"

// Stats is a snapshot of what a Poller counts.
type Stats struct {
	Connections       int64 // WebSockets open
	Sockets           int64 // descriptors open, HTTP and handshakes included
	BytesIn, BytesOut uint64
	FramesIn          uint64            // messages and control frames
	OutboxBytes       int64             // that wait in all outboxes, shared frames counted once
	Panics            uint64            // of handlers, each of which cost one connection
	Refused           map[string]uint64 // by reason, all reasons listed
	Closed            map[string]uint64 // by Reason, all of them listed
}

// Stats returns the numbers of this moment.
func (p *Poller) Stats() Stats {
	s := Stats{
		Connections: p.open.Load(),
		Sockets:     p.admission.count(),
		OutboxBytes: p.holdings.bytes.Load(),
		Panics:      p.panics.Load(),
		Refused:     make(map[string]uint64, refusalCount),
		Closed:      make(map[string]uint64, transport.Reasons),
	}
	for _, t := range p.tables {
		s.BytesIn += t.bytesIn.Load()
		s.BytesOut += t.bytesOut.Load()
		s.FramesIn += t.framesIn.Load()
	}
	for i := range p.refused {
		s.Refused[refusalLabels[i]] = p.refused[i].Load()
	}
	for i := range p.closed {
		s.Closed[transport.Reason(i).String()] = p.closed[i].Load()
	}
	return s
}
