package server

import (
	"time"

	"reverb/config"
	"reverb/protocol"
)

// Reload serves these apps instead of those of before. A client or a site that asks from then on finds all of them as
// they are here; a message that is being handled ends under the settings that it began with. The connections of an app
// that was here before live on under its new settings, as long as its id is the same; its present channels and their
// members stay as they are. The connections of an app that is gone, or is disabled now, are closed, spread over
// drain_timeout, unless it comes back before their turn.
//
// Reload may be called from any goroutine. The list must not change afterwards.
func (s *Server) Reload(apps config.Apps) {
	s.reload.Lock()
	defer s.reload.Unlock()
	select {
	case <-s.stop:
		return
	default:
	}
	first := len(s.apps.all()) == 0
	now := &directory{byKey: make(map[string]*settings, len(apps)), byID: make(map[string]*settings, len(apps))}
	for _, conf := range apps {
		if now.taken(conf) {
			continue // the first in the list wins (Reverb: ConfigApplicationProvider)
		}
		a := s.apps.known(conf.ID)
		if a == nil {
			a = newApp(s, conf)
		}
		now.add(a.configured(conf))
	}
	closing := s.apps.replace(now)
	if !first {
		s.followAll(closing)
	}
}

// followAll has every session of the node obey the settings that its app has now. Those of the apps that close are
// ended in the background. The caller holds s.reload.
func (s *Server) followAll(closing map[*app]bool) {
	var waiting []*Session
	s.sessions.each(nil, func(ss *Session) {
		if closing[ss.app] {
			waiting = append(waiting, ss)
			return
		}
		ss.bound()
	})
	if len(waiting) > 0 {
		s.running.Go(func() { s.closeSpread(waiting) })
	}
}

// closeSpread ends the sessions whose app does not want them any more when their turn comes.
func (s *Server) closeSpread(waiting []*Session) {
	farewell := spreadOver(s.drain, waiting)
	tick := time.NewTicker(drainTick)
	defer tick.Stop()
	for farewell.due((*Session).leaveApp) {
		select {
		case <-s.stop:
			return
		case <-tick.C:
		}
	}
}

// bound has the connection take messages of the size that its app allows now. It looks again afterwards, because
// another call, for settings that came meanwhile, may have been overtaken.
func (ss *Session) bound() {
	for set := ss.app.settings.Load(); ; {
		ss.conn.SetMaxMessage(set.maxMessage)
		now := ss.app.settings.Load()
		if now == set {
			return
		}
		set = now
	}
}

// leaveApp ends the session if its app has no connections: with the error of a client that tries to connect to such an
// app, which it would get when it came back. Pusher's clients then stay away.
func (ss *Session) leaveApp() {
	set := ss.app.settings.Load()
	if why := set.closed; why != nil {
		ss.end(endAppClosed, protocol.ErrorMessage(why, set.Rules.ErrorObject), uint16(why.Code), why.Message)
	}
}
