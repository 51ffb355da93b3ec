package server

import (
	"reverb/config"
	"reverb/outbound"
	"reverb/protocol"
)

// fail answers a message with pusher:error; the connection stays. It returns false, the result of a handler that
// failed.
func (ss *Session) fail(err *protocol.Error) bool {
	return ss.failWith(err, protocol.ErrorMessage(err, ss.app.conf().Rules.ErrorObject))
}

// failSubscribe is fail for a pusher:subscribe.
func (ss *Session) failSubscribe(conf *config.App, err *protocol.Error) bool {
	if conf.Rules.ErrorObject {
		return ss.failWith(err, protocol.RefusalMessage(err.Message))
	}
	return ss.failWith(err, protocol.ErrorMessage(err, false))
}

// failEvent is fail for a client event.
func (ss *Session) failEvent(conf *config.App, channel string, err *protocol.Error) bool {
	if conf.Rules.ErrorObject {
		return ss.failWith(err, protocol.EventErrorMessage(err, channel))
	}
	return ss.failWith(err, protocol.ErrorMessage(err, false))
}

func (ss *Session) failWith(err *protocol.Error, m outbound.Message) bool {
	ss.app.metrics.Invalid(err.Code)
	ss.reply(m)
	if trace := ss.app.server.trace; trace != nil {
		trace.Error(ss.id.String(), err)
	}
	return false
}
