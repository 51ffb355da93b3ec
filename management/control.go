package management

import (
	"log/slog"
	"net/http"
	"net/netip"
	"os"
	"strconv"
	"sync"
	"time"
)

const (
	callTimeout = 2 * time.Second // for an order to arrive, for an event to be taken, and for the node to take an order
	maxCallers  = 16              // that are told of one stop
	maxHandover = 3600            // seconds that a new server may take
)

const busy = "the server is about to end, or to be relieved"

// Orders are what the operators of a node want of it. The goroutine that runs the node takes them; all methods may be
// called from any goroutine.
type Orders struct {
	// Constant after NewOrders.
	address   string // of the server, for the answer
	find      func(socketID string) (netip.AddrPort, bool)
	log       *slog.Logger
	restart   chan struct{} // closed by the first restart
	handovers chan *Handover
	reloads   chan *Caller

	mu sync.Mutex
	// Guarded by mu.
	waiting  []*Caller // that are told how the stop goes
	finished bool
}

// Handover is the order that the next process take over.
type Handover struct {
	*Caller
	Timeout time.Duration // for the next process to be ready
}

// NewOrders are those of a server at an address. find tells the address of a client by its socket id.
func NewOrders(address string, find func(socketID string) (netip.AddrPort, bool), log *slog.Logger) *Orders {
	return &Orders{
		address: address, find: find, log: log,
		restart: make(chan struct{}), handovers: make(chan *Handover), reloads: make(chan *Caller),
	}
}

// Restart is closed when a restart was asked for.
func (o *Orders) Restart() <-chan struct{} { return o.restart }

// Handovers yields the orders to hand over.
func (o *Orders) Handovers() <-chan *Handover { return o.handovers }

// Reloads yields the callers that want a reload.
func (o *Orders) Reloads() <-chan *Caller { return o.reloads }

// Accepted is the event that names the server.
func (o *Orders) Accepted() Event {
	return Event{Kind: Accepted, Address: o.address, PID: os.Getpid()}
}

// Keep has a caller told how the stop goes, until Finish. It is true for the first one, whose order begins the stop.
func (o *Orders) Keep(c *Caller) (first bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.waiting) == maxCallers || o.finished {
		c.End()
		return false
	}
	o.waiting = append(o.waiting, c)
	return len(o.waiting) == 1
}

// Tell tells all callers that were kept.
func (o *Orders) Tell(e Event) {
	o.mu.Lock()
	waiting := o.waiting
	o.mu.Unlock()
	for _, c := range waiting {
		c.Tell(e)
	}
}

// Finish is the last word: everything has stopped, the process is about to end.
func (o *Orders) Finish() {
	o.Tell(Event{Kind: Stopped})
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, c := range o.waiting {
		c.End()
	}
	o.waiting, o.finished = nil, true
}

// askRestart has the node stop.
func (o *Orders) askRestart(c *Caller) {
	c.Tell(o.Accepted())
	if o.Keep(c) {
		o.log.Info("restart requested")
		close(o.restart)
	}
}

// askHandover gives the caller to the node, which is busy only with another handover or with its end.
func (o *Orders) askHandover(c *Caller, timeout string) {
	c.Tell(o.Accepted())
	seconds, err := strconv.Atoi(timeout)
	if err != nil || seconds < 1 || seconds > maxHandover {
		c.Refuse("want the seconds that the new server may take, 1 to " + strconv.Itoa(maxHandover))
		return
	}
	order := &Handover{c, time.Duration(seconds) * time.Second}
	select {
	case o.handovers <- order:
	case <-time.After(callTimeout):
		c.Refuse(busy)
	}
}

// askReload gives the caller to the node likewise.
func (o *Orders) askReload(c *Caller) {
	select {
	case o.reloads <- c:
	case <-time.After(callTimeout):
		c.Refuse(busy)
	}
}

// askClient tells from where a client comes. `reverb doctor` learns so whether the server sees its clients or only the
// proxy in front; no page and no header tells it to the public.
func (o *Orders) askClient(c *Caller, socketID string) {
	if address, ok := o.find(socketID); ok {
		c.Tell(Event{Kind: Client, Address: address.String()})
		c.End()
		return
	}
	c.Refuse("there is no such client")
}

// Register adds the orders to a surface.
func (o *Orders) Register(s *Surface) {
	s.Handle("POST /api/restart", Operator, o.over(func(c *Caller, _ *http.Request) { o.askRestart(c) }))
	s.Handle("POST /api/handover", Operator, o.over(func(c *Caller, r *http.Request) { o.askHandover(c, r.FormValue("timeout")) }))
	s.Handle("POST /api/reload", Operator, o.over(func(c *Caller, _ *http.Request) { o.askReload(c) }))
	s.Handle("GET /api/clients/{socket_id}", Operator, o.over(func(c *Caller, r *http.Request) { o.askClient(c, r.PathValue("socket_id")) }))
}

// over takes an order over HTTP, and returns when it has been carried out or its caller has left.
func (o *Orders) over(ask func(*Caller, *http.Request)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/x-ndjson")
		c := newCaller(inJSON{w, http.NewResponseController(w)})
		ask(c, r)
		select {
		case <-c.ended:
		case <-r.Context().Done():
			c.End() // nothing is written after this returns
		}
	}
}
