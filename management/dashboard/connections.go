package dashboard

import (
	"cmp"
	"net/http"

	"reverb/management"
	"reverb/protocol"
	"reverb/server"
)

// maxSubscriptionsShown is how many channels of one connection are shown.
const maxSubscriptionsShown = 500

// connectionRow is one connection as a list shows it.
type connectionRow struct {
	SocketID string `json:"socket_id"`
	App      string `json:"app"`
	Address  string `json:"address"`
	Age      number `json:"age"`  // seconds
	Idle     number `json:"idle"` // seconds
	Pinged   bool   `json:"pinged"`
	Waiting  int64  `json:"waiting"` // bytes
}

func rowOfConnection(c *server.Connection) connectionRow {
	row := connectionRow{
		SocketID: c.ID.String(), App: c.App, Age: number(c.Age.Seconds()), Idle: number(c.Idle.Seconds()), Pinged: c.Pinged, Waiting: c.Waiting,
	}
	if c.Address.IsValid() {
		row.Address = c.Address.String()
	}
	return row
}

// connections lists the connections of this node.
func (d *Dashboard) connections(w http.ResponseWriter, r *http.Request) {
	l, app := readListing(r), r.FormValue("app")
	done, ok := d.walk(r)
	if !ok {
		return
	}
	defer done()
	rows := newTop(&l, connectionOrder(l.sort), byID)
	for ss := range d.inspect.Sessions() {
		c := ss.Describe()
		if app != "" && c.App != app {
			continue
		}
		if l.search == "" || l.finds(c.ID.String()) || l.finds(c.Address.String()) {
			rows.add(c)
		}
	}
	page := []connectionRow{}
	for _, c := range rows.page(l.offset) {
		page = append(page, rowOfConnection(&c))
	}
	management.Answer(w, map[string]any{"connections": page, "total": rows.total})
}

func connectionOrder(by string) func(a, b server.Connection) int {
	switch by {
	case "app":
		return func(a, b server.Connection) int { return cmp.Compare(a.App, b.App) }
	case "address":
		return func(a, b server.Connection) int { return a.Address.Compare(b.Address) }
	case "idle":
		return func(a, b server.Connection) int { return cmp.Compare(a.Idle, b.Idle) }
	case "waiting":
		return func(a, b server.Connection) int { return cmp.Compare(a.Waiting, b.Waiting) }
	}
	return func(a, b server.Connection) int { return cmp.Compare(a.Age, b.Age) }
}

// byID keeps rows that are alike in the same places from one look to the next.
func byID(a, b server.Connection) int { return cmp.Compare(a.ID.Hash(), b.ID.Hash()) }

// connection tells everything of one connection.
func (d *Dashboard) connection(w http.ResponseWriter, r *http.Request) {
	ss := d.find(w, r)
	if ss == nil {
		return
	}
	done, ok := d.walk(r)
	if !ok {
		return
	}
	defer done()
	type subscription struct {
		Channel string `json:"channel"`
		Kind    string `json:"kind"`
		UserID  string `json:"user_id,omitempty"`
	}
	c := ss.Describe()
	subscriptions, more := []subscription{}, false
	for _, p := range ss.Subscribed() {
		if more = len(subscriptions) == maxSubscriptionsShown; more {
			break
		}
		subscriptions = append(subscriptions, subscription{p.Channel, kindName(p.Kind), p.UserID})
	}
	management.Answer(w, map[string]any{"connection": rowOfConnection(&c), "subscriptions": subscriptions, "more": more})
}

// closeConnection closes one connection of this node. Most clients come back by themselves.
func (d *Dashboard) closeConnection(w http.ResponseWriter, r *http.Request) {
	ss := d.find(w, r)
	if ss == nil {
		return
	}
	c := ss.Describe()
	closed := ss.Disconnect()
	d.log.Info("connection closed from the dashboard", "app", c.App, "socket_id", c.ID.String(), "remote", r.RemoteAddr)
	management.Answer(w, map[string]bool{"closed": closed})
}

// find returns the session that the path names; nil: it was answered that there is none.
func (d *Dashboard) find(w http.ResponseWriter, r *http.Request) *server.Session {
	id, ok := protocol.ParseSocketID(r.PathValue("socket_id"))
	if ok {
		if ss := d.inspect.Session(id); ss != nil {
			return ss
		}
	}
	management.Fail(w, http.StatusNotFound, "This node has no such connection.")
	return nil
}
