package dashboard

import (
	"bytes"
	"cmp"
	"iter"
	"net/http"
	"slices"
	"strconv"

	"reverb/channels"
	"reverb/config"
	"reverb/management"
	"reverb/protocol"
	"reverb/server"
)

// channelRow is one channel as a list shows it.
type channelRow struct {
	Name          string `json:"name"`
	Kind          string `json:"kind"`
	Subscriptions int    `json:"subscriptions"`
	Users         int    `json:"users"`
	Cached        bool   `json:"cached"`
}

func rowOf(info *channels.Info) channelRow {
	return channelRow{info.Name, kindName(info.Kind), info.Subscriptions, info.Users, info.Cache != nil}
}

func kindName(k protocol.Kind) string {
	name := "public"
	switch {
	case k.IsEncrypted():
		name = "encrypted"
	case k.IsPresence():
		name = "presence"
	case k.NeedsAuth():
		name = "private"
	}
	if k.IsCache() {
		name += " cache"
	}
	return name
}

// channels lists the channels of this node, or of all nodes with scope=all.
func (d *Dashboard) channels(w http.ResponseWriter, r *http.Request, conf *config.App) {
	l := readListing(r)
	done, ok := d.walk(r)
	if !ok {
		return
	}
	defer done()
	rows, partial := newTop(&l, channelOrder(l.sort), byName), false
	infos := d.inspect.LocalChannels(conf)
	if r.FormValue("scope") == "all" {
		var all []channels.Info
		var reach server.Reach
		all, reach = d.server.Channels(r.Context(), conf, "")
		infos, partial = slices.Values(all), reach.Partial()
	}
	subscriptions := collect(rows, infos, &l, r.FormValue("kind"))
	page := rows.page(l.offset)
	if page == nil {
		page = []channelRow{}
	}
	management.Answer(w, map[string]any{"channels": page, "total": rows.total, "subscriptions": subscriptions, "partial": partial})
}

// collect adds what the listing asks for and counts the subscriptions.
func collect(rows *top[channelRow], infos iter.Seq[channels.Info], l *listing, kind string) (subscriptions int) {
	for info := range infos {
		row := rowOf(&info)
		if (kind == "" || row.Kind == kind) && l.finds(row.Name) {
			rows.add(row)
			subscriptions += row.Subscriptions
		}
	}
	return subscriptions
}

func channelOrder(by string) func(a, b channelRow) int {
	switch by {
	case "subscriptions":
		return func(a, b channelRow) int { return cmp.Compare(a.Subscriptions, b.Subscriptions) }
	case "users":
		return func(a, b channelRow) int { return cmp.Compare(a.Users, b.Users) }
	}
	return byName
}

func byName(a, b channelRow) int { return cmp.Compare(a.Name, b.Name) }

// memberRow is one user of a presence channel.
type memberRow struct {
	ID    string `json:"id"`
	Info  string `json:"info"`  // JSON text, cut
	Place int    `json:"place"` // in the order in which the users came, from 1
}

// socketRow is one socket of a channel on this node.
type socketRow struct {
	SocketID string `json:"socket_id"`
	UserID   string `json:"user_id,omitempty"`
}

// maxInfo is how much of a member's info, or of a cached event, is shown, in bytes.
const maxInfo = 2048

// channel describes one channel: its sockets on this node, and its members on all.
func (d *Dashboard) channel(w http.ResponseWriter, r *http.Request, conf *config.App) {
	name, l := r.FormValue("name"), readListing(r)
	done, ok := d.walk(r)
	if !ok {
		return
	}
	defer done()
	infos, reach := d.server.NamedChannels(r.Context(), conf, []string{name})
	if len(infos) == 0 {
		management.Fail(w, http.StatusNotFound, "Nobody is subscribed to this channel.")
		return
	}
	body := map[string]any{"channel": rowOf(&infos[0]), "partial": reach.Partial(), "cache": cut(infos[0].Cache)}
	if infos[0].Kind.IsPresence() {
		users, _, _ := d.server.Users(r.Context(), conf, name)
		members, total := pageOfMembers(users, &l)
		body["members"], body["members_total"] = members, total
	} else {
		body["sockets"], body["sockets_total"] = d.sockets(conf, name, &l)
	}
	management.Answer(w, body)
}

func (d *Dashboard) sockets(conf *config.App, name string, l *listing) ([]socketRow, int) {
	places, total := d.inspect.Places(conf, name, l.offset, l.most)
	sockets := make([]socketRow, 0, len(places))
	for i := range places {
		sockets = append(sockets, socketRow{places[i].Subscriber.SocketID().String(), places[i].UserID})
	}
	return sockets, total
}

// pageOfMembers sorts by the order in which the users came, by their ids or by their infos.
func pageOfMembers(users []protocol.RosterMember, l *listing) (page []memberRow, total int) {
	byPlace := func(a, b int) int { return cmp.Compare(a, b) }
	column := byPlace
	switch l.sort {
	case "id":
		column = func(a, b int) int { return compareIDs(users[a].ID, users[b].ID) }
	case "info":
		column = func(a, b int) int { return bytes.Compare(users[a].Info, users[b].Info) }
	}
	found := newTop(l, column, byPlace)
	for i := range users {
		if l.finds(users[i].ID) || l.finds(string(users[i].Info)) {
			found.add(i)
		}
	}
	page = []memberRow{}
	for _, i := range found.page(l.offset) {
		page = append(page, memberRow{users[i].ID, cut(users[i].Info), i + 1})
	}
	return page, found.total
}

// compareIDs orders numbers as numbers, before all other ids.
func compareIDs(a, b string) int {
	m, errA := strconv.ParseUint(a, 10, 64)
	n, errB := strconv.ParseUint(b, 10, 64)
	switch {
	case errA == nil && errB == nil:
		return cmp.Or(cmp.Compare(m, n), cmp.Compare(a, b))
	case errA == nil:
		return -1
	case errB == nil:
		return 1
	}
	return cmp.Compare(a, b)
}

// cut is the beginning of a text.
func cut(text []byte) string {
	if len(text) > maxInfo {
		return string(text[:maxInfo]) + "…"
	}
	return string(text)
}
