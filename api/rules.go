package api

import (
	"fmt"
	"net/http"
	"strings"

	"reverb/config"
	"reverb/protocol"
)

// serverToUser begins the name of a user's own channel, which only the HTTP API may publish to (Pusher: server-to-user events).
const serverToUser = "#server-to-user-"

const invalidName = "Invalid channel name."

// checkEvent is what Pusher demands of an event and Reverb does not; each rule is on only when the app's rules say so.
func checkEvent(rules *config.Rules, e *event) *refusal {
	if limit := rules.MaxEventData; limit > 0 && len(e.data) > limit {
		return refuse(http.StatusRequestEntityTooLarge, fmt.Sprintf("The data content of this event exceeds the allowed maximum (%d bytes).", limit))
	}
	if limit := rules.MaxPublishChannels; limit > 0 && len(e.channels) > limit {
		return refuse(http.StatusBadRequest, fmt.Sprintf("An event may go to %d channels at most.", limit))
	}
	if rules.StrictNames {
		return checkNames(rules, e)
	}
	for _, name := range e.channels {
		if limit := rules.MaxChannelName; limit > 0 && len(name) > limit {
			return refuse(http.StatusBadRequest, invalidName)
		}
	}
	return nil
}

func checkNames(rules *config.Rules, e *event) *refusal {
	switch {
	case !protocol.ValidEventName(e.name, rules.MaxEventName):
		return refuse(http.StatusBadRequest, "Invalid event name.")
	case e.bothTargets:
		return refuse(http.StatusBadRequest, "An event has either channel or channels.")
	case len(e.channels) == 0:
		return refuse(http.StatusBadRequest, "An event needs a channel.")
	case e.hasSocketID && !protocol.ValidSocketIDSyntax(e.socketID):
		return refuse(http.StatusBadRequest, "Invalid socket id.")
	}
	for _, name := range e.channels {
		if user, ok := strings.CutPrefix(name, serverToUser); ok && user != "" {
			continue
		}
		if !protocol.ValidChannelName(name, rules.MaxChannelName) {
			return refuse(http.StatusBadRequest, invalidName)
		}
		if len(e.channels) > 1 && protocol.StrictKindOf(name).IsEncrypted() {
			return refuse(http.StatusBadRequest, "An event for an encrypted channel goes to that channel alone.")
		}
	}
	return nil
}
