package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"reverb/channels"
	"reverb/config"
	"reverb/protocol"
	"reverb/server"
)

// events publishes one event to one or more channels. The answer says that it is on its way, not that it has arrived.
func (a *api) events(w http.ResponseWriter, r *http.Request, c *call) {
	body, err := parseJSON(string(c.body))
	if err != nil || !body.isList() {
		malformed(w)
		return
	}
	var errs fieldErrors
	f := readFields(body)
	e := f.event(&errs)
	if len(errs) > 0 {
		errs.write(w, &c.app.Rules)
		return
	}
	if refused := checkEvent(&c.app.Rules, &e); refused != nil {
		refused.write(w)
		return
	}
	if e.hasInfo && c.mustNotWait {
		return // other nodes may have to be asked
	}
	if err := a.publish(r.Context(), c.app, &e, false); err != nil {
		a.publishFailed(w, c, err)
		return
	}
	if !e.hasInfo {
		writeJSONString(w, http.StatusOK, emptyObject)
		return
	}
	writeJSON(w, http.StatusOK, a.appendEventInfo(r.Context(), c.app, &e))
}

// appendEventInfo has one entry for each channel of the event, existing or not.
func (a *api) appendEventInfo(ctx context.Context, app *config.App, e *event) []byte {
	body := []byte(`{"channels":{`)
	start, wanted := len(body), parseAttributes(e.info)
	told := make(map[string]struct{}, len(e.channels))
	for _, name := range e.channels {
		if _, ok := told[name]; ok {
			continue
		}
		told[name] = struct{}{}
		body = protocol.AppendQuote(comma(body, start), name)
		body = a.appendChannelInfo(ctx, append(body, ':'), app, name, wanted)
	}
	return append(body, "}}"...)
}

// appendChannelInfo asks for the channel only when something of it is wanted.
func (a *api) appendChannelInfo(ctx context.Context, dst []byte, app *config.App, name string, wanted attributes) []byte {
	if wanted == 0 {
		return append(dst, emptyObject...)
	}
	info, ok := a.server.Channel(ctx, app, name)
	return appendInfo(dst, wanted, &info, ok)
}

// batchEvents publishes several events, each to one channel, in order. All are validated first; none is sent if one is wrong.
func (a *api) batchEvents(w http.ResponseWriter, r *http.Request, c *call) {
	body, err := parseJSON(string(c.body))
	if err != nil || !body.isList() {
		malformed(w)
		return
	}
	batch, errs := readBatch(body)
	if len(errs) > 0 {
		errs.write(w, &c.app.Rules)
		return
	}
	if limit := c.app.Rules.MaxBatch; limit > 0 && len(batch) > limit {
		writeText(w, http.StatusBadRequest, fmt.Sprintf("A batch has %d events at most.", limit))
		return
	}
	for i := range batch {
		if refused := checkEvent(&c.app.Rules, &batch[i]); refused != nil {
			refused.write(w)
			return
		}
	}
	if c.mustNotWait && slices.ContainsFunc(batch, func(e event) bool { return e.hasInfo }) {
		return // as above
	}
	for i := range batch {
		if err := a.publish(r.Context(), c.app, &batch[i], true); err != nil {
			a.publishFailed(w, c, err)
			return
		}
	}
	writeJSON(w, http.StatusOK, a.appendBatchInfo(r.Context(), c.app, batch))
}

// readBatch validates all items, until there are as many errors as are told.
func readBatch(body value) ([]event, fieldErrors) {
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
	var batch []event
	i := 0
	list.each(func(_ string, v value) bool {
		f := readFields(v)
		if e, ok := f.batchItem(&errs, i); ok {
			batch = append(batch, e)
		}
		i++
		return !errs.full()
	})
	return batch, errs
}

// appendBatchInfo has one object for each item in order, or an empty object when no item yields any.
func (a *api) appendBatchInfo(ctx context.Context, app *config.App, batch []event) []byte {
	body := []byte(`{"batch":[`)
	start, some := len(body), false
	for i := range batch {
		body = comma(body, start)
		before := len(body)
		wanted := attributes(0)
		if batch[i].hasInfo {
			wanted = parseAttributes(batch[i].info)
		}
		body = a.appendChannelInfo(ctx, body, app, batch[i].channels[0], wanted)
		some = some || len(body)-before > len(emptyObject)
	}
	if !some {
		return []byte(`{"batch":{}}`)
	}
	return append(body, "]}"...)
}

// publish hands the event over. A socket id that is none of ours excludes nobody.
func (a *api) publish(ctx context.Context, app *config.App, e *event, batch bool) error {
	except, _ := protocol.ParseSocketID(e.socketID)
	p := server.Publication{Event: e.name, Data: e.data, Channels: e.channels, Except: except, Batch: batch}
	if err := a.server.Publish(ctx, app, p); err != nil {
		return fmt.Errorf("publish: %w", err)
	}
	return nil
}

// publishFailed answers 503 when a channel's subscribers do not keep up, so that the caller tries again later.
func (a *api) publishFailed(w http.ResponseWriter, c *call, err error) {
	if errors.Is(err, channels.ErrBacklog) {
		w.Header().Set("Retry-After", "1")
		writeText(w, http.StatusServiceUnavailable, "Too many messages are waiting for delivery.")
		return
	}
	a.log.Error("publish refused", "app", c.app.ID, "err", err)
	internalError(w)
}

// malformed answers a body that is no JSON object.
func malformed(w http.ResponseWriter) {
	writeText(w, http.StatusBadRequest, "The body is not a JSON object.")
}
