package api

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"reverb/channels"
	"reverb/config"
	"reverb/protocol"
	"reverb/server"
)

// events publishes one event to one or more channels. The answer says that it is on its way, not that it has arrived.
func (a *API) events(w http.ResponseWriter, r *http.Request, c *call) {
	body, err := parseJSON(c.body, &c.text)
	if err != nil || !body.isList() {
		malformed(w)
		return
	}
	var errs fieldErrors
	f := readFields(body)
	e := f.event(&errs, c.names[:0])
	c.names = e.channels
	if len(errs) > 0 {
		errs.write(w, &c.app.Rules)
		return
	}
	if refused := checkEvent(&c.app.Rules, &e); refused != nil {
		refused.write(w)
		return
	}
	if c.mustNotWait && a.mayWait(c, &e) {
		return
	}
	if err := a.publish(r.Context(), c, &e, false); err != nil {
		a.publishFailed(w, c, err)
		return
	}
	if !e.hasInfo {
		writeJSONString(w, http.StatusOK, emptyObject)
		return
	}
	wanted := e.attributes()
	found := a.told(r.Context(), w, c.app, wanted, e.channels)
	writeJSON(w, http.StatusOK, appendEventInfo(&c.app.Rules, &e, wanted, found))
}

// told describes those of the channels that somebody is subscribed to, if anything of them is wanted.
func (a *API) told(ctx context.Context, w http.ResponseWriter, app *config.App, wanted attributes, names []string) []channels.Info {
	if wanted == 0 {
		return nil
	}
	asked := make([]string, len(names)) // a node that answers late may have the question longer than the caller has its body
	for i, name := range names {
		asked[i] = strings.Clone(name)
	}
	found, reach := a.server.NamedChannels(ctx, app, asked)
	tellReach(w, reach)
	return found
}

// appendEventInfo has one entry for each channel of the event, existing or not.
func appendEventInfo(rules *config.Rules, e *event, wanted attributes, found []channels.Info) []byte {
	body := []byte(`{"channels":{`)
	start := len(body)
	written := make(map[string]struct{}, len(e.channels))
	for _, name := range e.channels {
		if _, ok := written[name]; ok {
			continue
		}
		written[name] = struct{}{}
		body = protocol.AppendQuote(comma(body, start), name)
		body = appendInfo(append(body, ':'), wanted, rules, name, find(found, name))
	}
	return append(body, "}}"...)
}

// mayWait reports whether publishing e may take a while: other nodes have to be asked, or the publisher is ahead of everybody.
func (a *API) mayWait(c *call, e *event) bool { return e.hasInfo || !a.server.Room(c.app, e.channels) }

// batchTimeout is how long a batch waits for room, all its events together.
const batchTimeout = 2 * time.Second

// batchEvents publishes several events, each to one channel, in order. All are validated first; none is sent if one is wrong.
func (a *API) batchEvents(w http.ResponseWriter, r *http.Request, c *call) {
	body, err := parseJSON(c.body, &c.text)
	if err != nil || !body.isList() {
		malformed(w)
		return
	}
	batch, errs := readBatch(body, c)
	if len(errs) > 0 {
		errs.write(w, &c.app.Rules)
		return
	}
	if limit := c.app.Rules.MaxBatch; limit > 0 && len(batch) > limit {
		writeText(w, http.StatusBadRequest, fmt.Sprintf("Batch too large: it may have %d events at most.", limit))
		return
	}
	for i := range batch {
		if refused := checkEvent(&c.app.Rules, &batch[i]); refused != nil {
			refused.write(w)
			return
		}
	}
	ctx := r.Context()
	if c.mustNotWait {
		if slices.ContainsFunc(batch, func(e event) bool { return a.mayWait(c, &e) }) {
			return
		}
	} else {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, batchTimeout)
		defer cancel()
	}
	for i := range batch {
		if err := a.publish(ctx, c, &batch[i], true); err != nil {
			a.publishFailed(w, c, err)
			return
		}
	}
	switch asked := slices.ContainsFunc(batch, func(e event) bool { return e.hasInfo }); {
	case asked:
		writeJSON(w, http.StatusOK, a.appendBatchInfo(r.Context(), w, c.app, batch))
	case c.app.Rules.PusherAnswers:
		writeJSONString(w, http.StatusOK, emptyObject)
	default:
		writeJSONString(w, http.StatusOK, emptyBatch)
	}
}

// readBatch validates all items, until there are as many errors as are told. The events are in the memory of c.
func readBatch(body value, c *call) ([]event, fieldErrors) {
	var list value
	if body.kind == object {
		body.each(func(name string, v value) bool {
			if name == "batch" {
				list = v
			}
			return true
		})
	}
	var errs fieldErrors
	switch {
	case list.missing():
		errs.add("batch", "The batch field is required.")
		return nil, errs
	case list.kind != array:
		errs.add("batch", "The batch field must be an array.")
		return nil, errs
	}
	c.batch, c.names = c.batch[:0], c.names[:0]
	i := 0
	list.each(func(_ string, v value) bool {
		f := readFields(v)
		if e, ok := f.batchItem(&errs, i, &c.names); ok {
			c.batch = append(c.batch, e)
		}
		i++
		return !errs.full()
	})
	return c.batch, errs
}

// appendBatchInfo has one object for each item in order, or an empty object when no item yields any. All channels are asked for together.
func (a *API) appendBatchInfo(ctx context.Context, w http.ResponseWriter, app *config.App, batch []event) []byte {
	var all attributes
	var names []string
	for i := range batch {
		if wanted := batch[i].attributes(); wanted != 0 {
			all |= wanted
			names = append(names, batch[i].channels[0])
		}
	}
	found := a.told(ctx, w, app, all, names)
	body := []byte(`{"batch":[`)
	start, some := len(body), false
	for i := range batch {
		e := &batch[i]
		body = comma(body, start)
		before := len(body)
		body = appendInfo(body, e.attributes(), &app.Rules, e.channels[0], find(found, e.channels[0]))
		some = some || len(body)-before > len(emptyObject)
	}
	if !some && !app.Rules.PusherAnswers {
		return []byte(emptyBatch)
	}
	return append(body, "]}"...)
}

// publish hands the event over. A socket id that is none of ours excludes nobody.
func (a *API) publish(ctx context.Context, c *call, e *event, batch bool) error {
	except, _ := protocol.ParseSocketID(e.socketID)
	p := server.Publication{Event: e.name, Data: e.data, Channels: e.channels, Except: except, Batch: batch, AtOnce: c.mustNotWait}
	if err := a.server.Publish(ctx, c.app, p); err != nil {
		return fmt.Errorf("publish: %w", err)
	}
	return nil
}

// publishFailed answers 503 when a channel's subscribers do not keep up and had no room in time, so that the caller tries again later.
func (a *API) publishFailed(w http.ResponseWriter, c *call, err error) {
	if errors.Is(err, channels.ErrBacklog) {
		w.Header().Set("Retry-After", "1")
		writeText(w, http.StatusServiceUnavailable, "Too many messages are waiting for delivery.")
		return
	}
	if errors.Is(err, protocol.ErrUnknownApp) { // a reload took it away since the signature was checked
		unknownApp(c.app.ID).write(w)
		return
	}
	a.complaints.Log(slog.LevelError, c.app.ID+" publish", "publish failed", slog.String("app", c.app.ID), slog.Any("err", err))
	internalError(w)
}

// malformed answers a body that is no JSON object.
func malformed(w http.ResponseWriter) {
	writeText(w, http.StatusBadRequest, "The body is not a JSON object.")
}
