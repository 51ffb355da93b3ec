package api

import (
	"strconv"
	"strings"
)

// event is one event to publish, as a caller sent it.
type event struct {
	name, data string
	channels   []string
	socketID   string
	info       string

	hasSocketID, hasInfo bool // present, even if blank
	bothTargets          bool // channel and channels were given
}

// attributes is what the caller wants to be told about the channels.
func (e *event) attributes() attributes {
	if !e.hasInfo {
		return 0
	}
	return parseAttributes(e.info)
}

// fields are the members of an event's JSON object that mean something, before validation.
type fields struct{ name, data, channels, channel, socketID, info value }

// readFields takes the known members of an object; of a name given twice the last counts. A value that is no object has none.
func readFields(v value) fields {
	var f fields
	if v.kind != object {
		return f
	}
	v.each(func(name string, v value) bool {
		if v.kind == null {
			v = value{} // optional members that are null are absent: libraries of typed languages send each member they know
		}
		switch name {
		case "name":
			f.name = v
		case "data":
			f.data = v
		case "channels":
			f.channels = v
		case "channel":
			f.channel = v
		case "socket_id":
			f.socketID = v
		case "info":
			f.info = v
		}
		return true
	})
	return f
}

// event validates the fields of POST /events; errors are Laravel's. Optional rules skip blank strings, as Laravel does. The channels are
// appended to names.
func (f *fields) event(errs *fieldErrors, names []string) event {
	before := len(*errs)
	required(errs, "name", f.name)
	required(errs, "data", f.data)
	if f.channel.missing() && f.channels.missing() {
		errs.add("channels", "The channels field is required when channel is not present.")
		errs.add("channel", "The channel field is required when channels is not present.")
	} else {
		if f.channels.kind != absent && !f.channels.isList() && !f.channels.blank() {
			errs.add("channels", "The channels field must be an array.")
		}
		mustBeString(errs, "channel", f.channel)
	}
	mustBeString(errs, "socket_id", f.socketID)
	mustBeString(errs, "info", f.info)
	e := f.plain()
	switch {
	case f.channels.isList():
		e.channels = channelNames(errs, f.channels, names)
		e.bothTargets = f.channel.kind != absent
	case f.channel.kind == str:
		e.channels = append(names, f.channel.text)
	}
	if len(*errs) > before {
		return event{}
	}
	return e
}

// batchItem validates one item of POST /batch_events; it has one channel, which is appended to names. prefix is "batch.0.".
func (f *fields) batchItem(errs *fieldErrors, index int, names *[]string) (event, bool) {
	if f.name.kind == str && !f.name.blank() && f.data.kind == str && !f.data.blank() &&
		f.channel.kind == str && !f.channel.blank() && f.socketID.optional() && f.info.optional() {
		e := f.plain()
		*names = append(*names, f.channel.text)
		n := len(*names)
		e.channels = (*names)[n-1 : n : n]
		return e, true
	}
	prefix := "batch." + strconv.Itoa(index) + "."
	required(errs, prefix+"name", f.name)
	required(errs, prefix+"data", f.data)
	if f.channel.missing() {
		errs.add(prefix+"channel", "The "+prefix+"channel field is required when channels is not present.")
	} else {
		mustBeString(errs, prefix+"channel", f.channel)
	}
	mustBeString(errs, prefix+"socket_id", f.socketID)
	mustBeString(errs, prefix+"info", f.info)
	return event{}, false
}

// plain are the fields that need no thought.
func (f *fields) plain() event {
	return event{
		name: f.name.text, data: f.data.text, socketID: f.socketID.text, info: f.info.text,
		hasSocketID: f.socketID.kind == str, hasInfo: f.info.kind == str,
	}
}

func required(errs *fieldErrors, field string, v value) {
	if v.missing() {
		errs.add(field, "The "+field+" field is required.")
		return
	}
	mustBeString(errs, field, v)
}

func mustBeString(errs *fieldErrors, field string, v value) {
	if !v.optional() {
		errs.add(field, "The "+strings.ReplaceAll(field, "_", " ")+" field must be a string.")
	}
}

// channelNames appends the elements of channels to names. As in PHP a number or boolean counts as its text; a container is an error.
func channelNames(errs *fieldErrors, list value, names []string) []string {
	i := 0
	list.each(func(_ string, v value) bool {
		switch v.kind {
		case str, number:
			names = append(names, v.text)
		case boolean:
			names = append(names, phpString(v.text))
		case null:
			names = append(names, "")
		default:
			field := "channels." + strconv.Itoa(i)
			errs.add(field, "The "+field+" field must be a string.")
		}
		i++
		return !errs.full()
	})
	return names
}

// phpString is the text of a boolean in PHP.
func phpString(literal string) string {
	if literal == "true" {
		return "1"
	}
	return ""
}
