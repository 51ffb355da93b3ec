package server

import "reverb/channels"

var (
	OriginAllowed = originAllowed
	Glob          = glob
)

// Subscriptions is the set of a session, for its test against a model.
type Subscriptions struct{ s subscriptionSet }

func (s *Subscriptions) Len() int                             { return s.s.len() }
func (s *Subscriptions) Find(c string) *channels.Subscription { return s.s.find(c) }
func (s *Subscriptions) Put(sub *channels.Subscription) {
	s.s.put(sub, costOf(s.s.find(sub.Channel())))
}
func (s *Subscriptions) Bytes() int64                            { return s.s.bytes() }
func (s *Subscriptions) Take(c string) *channels.Subscription    { return s.s.take(c) }
func (s *Subscriptions) Each(visit func(*channels.Subscription)) { s.s.each(visit) }
func (s *Server) SessionsForTest() int                           { return s.sessions.len() }

// CostOf is what a set counts for a subscription.
func CostOf(sub *channels.Subscription) int64 { return costOf(sub) }
