package dashboard

import (
	"errors"
	"net/http"

	"reverb/channels"
	"reverb/config"
	"reverb/management"
	"reverb/protocol"
	"reverb/server"
)

// maxChannels is how many channels one event may go to from here.
const maxChannels = 100

// publish sends an event, by the same way as the HTTP API does.
func (d *Dashboard) publish(w http.ResponseWriter, r *http.Request, conf *config.App) {
	var e struct {
		Event    string   `json:"event"`
		Data     string   `json:"data"`
		Channels []string `json:"channels"`
	}
	if !management.Read(w, r, d.maxBody, &e) {
		return
	}
	if text := refusal(&conf.Rules, e.Event, e.Data, e.Channels); text != "" {
		management.Fail(w, http.StatusUnprocessableEntity, text)
		return
	}
	err := d.server.Publish(r.Context(), conf, server.Publication{Event: e.Event, Data: e.Data, Channels: e.Channels})
	switch {
	case errors.Is(err, channels.ErrBacklog):
		management.Fail(w, http.StatusServiceUnavailable, "Too many messages are waiting for delivery.")
		return
	case err != nil:
		d.log.Error("publish from the dashboard", "app", conf.ID, "err", err)
		management.Fail(w, http.StatusInternalServerError, "The event could not be sent.")
		return
	}
	d.log.Info("event sent from the dashboard", "app", conf.ID, "event", e.Event, "channels", len(e.Channels), "remote", r.RemoteAddr)
	infos, reach := d.server.NamedChannels(r.Context(), conf, e.Channels)
	subscriptions := 0
	for i := range infos {
		subscriptions += infos[i].Subscriptions
	}
	management.Answer(w, map[string]any{"subscriptions": subscriptions, "partial": reach.Partial()})
}

// refusal says what is wrong with an event; "" when nothing is.
func refusal(rules *config.Rules, event, data string, names []string) string {
	switch {
	case event == "":
		return "The event needs a name."
	case len(names) == 0:
		return "The event needs a channel."
	case len(names) > maxChannels || rules.MaxPublishChannels > 0 && len(names) > rules.MaxPublishChannels:
		return "The event goes to too many channels."
	case rules.MaxEventData > 0 && len(data) > rules.MaxEventData:
		return "The data is longer than this application allows."
	case rules.StrictNames && !protocol.ValidEventName(event, rules.MaxEventName):
		return "The name of the event is not valid."
	}
	for _, name := range names {
		if name == "" || rules.StrictNames && !protocol.ValidChannelName(name, rules.MaxChannelName) {
			return "The name of a channel is not valid."
		}
	}
	return ""
}

// closeUser closes the connections of a user on all nodes, as the HTTP API does.
func (d *Dashboard) closeUser(w http.ResponseWriter, r *http.Request, conf *config.App) {
	var user struct {
		ID string `json:"user_id"`
	}
	if !management.Read(w, r, d.maxBody, &user) {
		return
	}
	if user.ID == "" {
		management.Fail(w, http.StatusUnprocessableEntity, "Which user?")
		return
	}
	d.server.TerminateUser(r.Context(), conf, user.ID)
	d.log.Info("user's connections closed from the dashboard", "app", conf.ID, "user_id", user.ID, "remote", r.RemoteAddr)
	management.Answer(w, map[string]bool{"closed": true})
}
