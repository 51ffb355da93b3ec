package api

import (
	"net/http"

	"reverb/protocol"
)

// channelUsers lists the distinct users of a presence channel, in the order they joined.
func (a *API) channelUsers(w http.ResponseWriter, r *http.Request, c *call) {
	name := pathName(r, "channel")
	if c.app.Rules.StrictNames && !protocol.StrictKindOf(name).IsPresence() { // Pusher: of no interest whether somebody is there
		writeJSONString(w, http.StatusBadRequest, emptyObject)
		return
	}
	members, ok, reach := a.server.Users(r.Context(), c.app, name)
	tellReach(w, reach)
	switch {
	case c.app.Rules.PusherAnswers && protocol.StrictKindOf(name).IsPresence(): // with nobody in it, too
	case !ok:
		writeJSONString(w, http.StatusNotFound, emptyObject)
		return
	case !protocol.KindOf(name).IsPresence():
		writeJSONString(w, http.StatusBadRequest, emptyObject)
		return
	}
	body := []byte(`{"users":[`)
	for i := range members {
		if i > 0 {
			body = append(body, ',')
		}
		body = append(body, `{"id":`...)
		body = appendUserID(body, &members[i], c.app.Rules.StringUserIDs)
		body = append(body, '}')
	}
	writeJSON(w, http.StatusOK, append(body, "]}"...))
}

// appendUserID keeps the JSON type that the client gave, as Reverb does, or makes it a string, as Pusher does.
func appendUserID(dst []byte, m *protocol.RosterMember, asString bool) []byte {
	if asString || len(m.IDRaw) == 0 {
		return protocol.AppendQuote(dst, m.ID)
	}
	return append(dst, m.IDRaw...)
}

// terminateUser disconnects a user everywhere. The answer is the same when nobody was there.
func (a *API) terminateUser(w http.ResponseWriter, r *http.Request, c *call) {
	a.server.TerminateUser(r.Context(), c.app, pathName(r, "userId"))
	writeJSONString(w, http.StatusOK, emptyObject)
}
