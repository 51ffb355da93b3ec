package api

import (
	"cmp"
	"net/http"
	"slices"
	"strings"

	"reverb/channels"
	"reverb/protocol"
)

// channels lists the occupied channels with the attributes asked for.
func (a *API) channels(w http.ResponseWriter, r *http.Request, c *call) {
	prefix, _ := c.query.Get("filter_by_prefix")
	info := queryAttributes(c)
	if c.app.Rules.StrictNames && info.has(userCount) && !strings.HasPrefix(prefix, "presence-") {
		writeText(w, http.StatusBadRequest, "The user_count attribute needs a filter_by_prefix of presence channels.")
		return
	}
	body := []byte(`{"channels":{`)
	start := len(body)
	infos, reach := a.server.Channels(r.Context(), c.app, prefix)
	tellReach(w, reach)
	for i := range infos {
		if infos[i].Subscriptions == 0 {
			continue
		}
		body = protocol.AppendQuote(comma(body, start), infos[i].Name)
		body = appendInfo(append(body, ':'), info, &c.app.Rules, infos[i].Name, &infos[i])
	}
	writeJSON(w, http.StatusOK, append(body, "}}"...))
}

// find looks for a channel in a list that is sorted by name; nil: it is not there.
func find(infos []channels.Info, name string) *channels.Info {
	i, ok := slices.BinarySearchFunc(infos, name, func(c channels.Info, name string) int { return cmp.Compare(c.Name, name) })
	if !ok {
		return nil
	}
	return &infos[i]
}

// channel is one channel's attributes; occupied is always told.
func (a *API) channel(w http.ResponseWriter, r *http.Request, c *call) {
	name, info := pathName(r, "channel"), queryAttributes(c)
	if c.app.Rules.StrictNames {
		if refused := checkAttributes(info, protocol.StrictKindOf(name)); refused != nil {
			refused.write(w)
			return
		}
	}
	found, reach := a.server.NamedChannels(r.Context(), c.app, []string{name})
	tellReach(w, reach)
	writeJSON(w, http.StatusOK, appendInfo(nil, info|occupied, &c.app.Rules, name, find(found, name)))
}
