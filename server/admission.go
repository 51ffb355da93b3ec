package server

import (
	"net/url"
	"strconv"
	"strings"

	"reverb/config"
	"reverb/protocol"
	"reverb/transport"
)

// refusal says why a connection is not accepted: to the client, and in the metrics.
type refusal struct {
	err    *protocol.Error
	reason string // label
}

// The protocol versions that are served (Pusher: 5, 6 and 7 differ only in how errors are told).
const (
	minProtocol = 5
	maxProtocol = 7
)

// admit runs the checks of a new connection, in Reverb's order: app, limit, origin. An admitted connection has taken
// its place in the app's quota, and is judged by the one configuration that is returned. Both are nil when there is no
// app with this key.
func (s *Server) admit(r *transport.Request) (*app, *config.App, *refusal) {
	if s.draining.Load() {
		if s.dismissed.Load() {
			return nil, nil, &refusal{protocol.ErrRestarting, "draining"}
		}
		return nil, nil, &refusal{protocol.ErrDraining, "draining"}
	}
	key, _ := EndpointKey(s.prefix, r.Path)
	set := s.apps.byKey(key)
	if set == nil {
		return nil, nil, &refusal{protocol.ErrUnknownApp, "unknown_app"}
	}
	a, conf := set.app, set.App
	if !conf.Enabled {
		return a, conf, &refusal{protocol.ErrAppDisabled, "disabled"}
	}
	if conf.Rules.RequireProtocol {
		if err := checkVersion(r.Query); err != nil {
			return a, conf, &refusal{err, "version"}
		}
	}
	// The limit is looked at twice: its refusal comes before the origin's, as in Reverb, but a place is taken only by a
	// connection that passed everything, so that refused ones never push out good ones.
	switch {
	case a.full(conf):
		return a, conf, &refusal{protocol.ErrOverQuota, "quota"}
	case !originAllowed(conf.AllowedOrigins, r.Origin):
		return a, conf, &refusal{protocol.ErrOriginNotAllowed, "origin"}
	case !a.enter(conf):
		return a, conf, &refusal{protocol.ErrOverQuota, "quota"}
	}
	return a, conf, nil
}

// refuse tells the client why and closes with the same code, so that pusher-js draws the same conclusion from either.
// (Reverb leaves connections of a wrong origin or over the limit open and usable.)
func (s *Server) refuse(c transport.Conn, conf *config.App, id protocol.SocketID, why *refusal) transport.Receiver {
	appID, object := "", false
	if conf != nil {
		appID, object = conf.ID, conf.Rules.ErrorObject
	}
	s.metrics.Refused(appID, why.reason)
	c.Send(protocol.ErrorMessage(why.err, object).In(c.Encoding()))
	c.Close(uint16(why.err.Code), why.err.Message)
	if s.trace == nil {
		return refused{}
	}
	return refused{trace: s.trace, id: id.String()}
}

// refused is the receiver of a connection that was not accepted: messages that it still sends are ignored.
type refused struct {
	trace Trace // nil = off
	id    string
}

func (refused) Message([]byte, bool)        {}
func (refused) Control(transport.ControlOp) {}

func (r refused) Closed(transport.Reason) {
	if r.trace != nil {
		r.trace.Closed(r.id)
	}
}

// Endpoint reports whether path, as it stands in the request line without its query, is a WebSocket endpoint. It is the
// question that the poller asks about each request.
func (s *Server) Endpoint(path []byte) bool {
	_, ok := EndpointKey(s.prefix, string(path))
	return ok
}

// EndpointKey takes the key out of "{prefix}/app/{key}", a path as it was sent. All but the key has one spelling,
// because a proxy's rule sees the path as it was sent; a doubled slash in front is tolerated, which old clients write.
// A key is no segment that proxies take away and holds no slash, not even an escaped one.
func EndpointKey(prefix, path string) (key string, ok bool) {
	if strings.HasPrefix(path, "//") {
		path = path[1:]
	}
	rest, ok := strings.CutPrefix(path, prefix)
	if !ok {
		return "", false
	}
	key, ok = strings.CutPrefix(rest, "/app/")
	if !ok {
		return "", false
	}
	key, err := url.PathUnescape(key)
	if err != nil || key == "" || key == "." || key == ".." || strings.IndexByte(key, '/') >= 0 {
		return "", false
	}
	return key, true
}

// checkVersion judges the protocol parameter of the URL (Pusher: error codes 4006 to 4008). Reverb ignores it.
func checkVersion(query string) *protocol.Error {
	q := protocol.ParseQuery(query)
	given, ok := q.Get("protocol")
	if !ok || given == "" {
		return protocol.ErrNoVersion
	}
	v, err := strconv.Atoi(given)
	switch {
	case err != nil:
		return protocol.ErrBadVersion
	case v < minProtocol || v > maxProtocol:
		return protocol.ErrUnsupportedVersion
	}
	return nil
}
