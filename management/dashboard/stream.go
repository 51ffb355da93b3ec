package dashboard

import (
	"encoding/json"
	"net/http"
	"time"

	"reverb/config"
	"reverb/management"
	"reverb/server"
)

const (
	streamEvery  = 200 * time.Millisecond // at most viewerQueue events each time
	streamBeat   = 15 * time.Second       // so that proxies do not take a quiet stream for a dead one
	streamWrite  = 10 * time.Second       // bound of one write
	maxDataShown = 2048                   // bytes of the data of one event
)

// shownEvent is an event as the page gets it.
type shownEvent struct {
	At      int64  `json:"at"` // Unix milliseconds
	Event   string `json:"event"`
	Channel string `json:"channel"`
	Data    string `json:"data"`
	Size    int    `json:"size"` // of the data, bytes
	UserID  any    `json:"user_id,omitempty"`
	Except  string `json:"except,omitempty"` // the socket that did not get it
	Reached bool   `json:"reached"`          // somebody on this node is subscribed
}

// tail streams the events of an application until the browser leaves (server-sent events).
func (d *Dashboard) tail(w http.ResponseWriter, r *http.Request, conf *config.App) {
	text := r.FormValue("q")
	v := d.tails.open(conf.ID, text[:min(len(text), maxSearch)])
	if v == nil {
		management.Fail(w, http.StatusServiceUnavailable, "Too many people view events. Close another page and try again.")
		return
	}
	defer d.tails.leave(v)
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("X-Accel-Buffering", "no") // Nginx would hold the events back
	out := &stream{http.NewResponseController(w), w}
	if !out.write([]byte(": open\n\n")) {
		return
	}
	tick, beat := time.NewTicker(streamEvery), time.NewTicker(streamBeat)
	defer tick.Stop()
	defer beat.Stop()
	for {
		var what []byte
		select {
		case <-r.Context().Done():
			return
		case <-management.UntilLogout(r):
			return
		case <-v.closed:
			return
		case now := <-tick.C:
			what = appendEvents(nil, now, v.take(), v.dropped.Swap(0))
		case <-beat.C:
			what = []byte(": still here\n\n")
		}
		if len(what) > 0 && !out.write(what) {
			return
		}
	}
}

// stream writes at once and never waits long for a browser.
type stream struct {
	control *http.ResponseController
	w       http.ResponseWriter
}

func (s *stream) write(p []byte) bool {
	_ = s.control.SetWriteDeadline(time.Now().Add(streamWrite)) // not every ResponseWriter can; then the server's own holds
	if _, err := s.w.Write(p); err != nil {
		return false
	}
	return s.control.Flush() == nil
}

// appendEvents is one message of the stream: a list of events, and how many were left out before them.
func appendEvents(dst []byte, now time.Time, events []server.DeliveredEvent, dropped int64) []byte {
	if len(events) == 0 && dropped == 0 {
		return dst
	}
	shown := make([]shownEvent, 0, len(events))
	for i := range events {
		shown = append(shown, show(now, &events[i]))
	}
	body, err := json.Marshal(map[string]any{"events": shown, "dropped": dropped})
	if err != nil {
		return dst
	}
	dst = append(dst, "data: "...)
	return append(append(dst, body...), "\n\n"...)
}

// show takes an event apart. One that is no JSON object, which clients can make here, is shown as it is.
func show(now time.Time, s *server.DeliveredEvent) shownEvent {
	e := shownEvent{At: now.UnixMilli(), Channel: s.Channel, Except: s.Except.String(), Reached: s.Reached}
	var fields struct {
		Event  any             `json:"event"`
		Data   json.RawMessage `json:"data"`
		UserID any             `json:"user_id"`
	}
	data := s.Payload.JSON()
	if err := json.Unmarshal(data, &fields); err == nil {
		e.Event, _ = fields.Event.(string)
		e.UserID, data = fields.UserID, fields.Data
	}
	var text string
	if json.Unmarshal(data, &text) == nil && len(data) > 0 && data[0] == '"' {
		data = []byte(text)
	}
	e.Size = len(data)
	e.Data = string(data[:min(len(data), maxDataShown)])
	return e
}
