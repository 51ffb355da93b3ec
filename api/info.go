package api

import (
	"net/http"
	"strconv"
	"strings"

	"reverb/channels"
	"reverb/config"
	"reverb/protocol"
)

// attributes is the set of attributes that a query or an event asked for with info; unknown names are ignored.
type attributes uint8

const (
	occupied attributes = 1 << iota
	userCount
	subscriptionCount
	cached
)

// parseAttributes reads a comma list, without trimming, as Reverb does.
func parseAttributes(list string) attributes {
	var a attributes
	for name := range strings.SplitSeq(list, ",") {
		switch name {
		case "occupied":
			a |= occupied
		case "user_count":
			a |= userCount
		case "subscription_count":
			a |= subscriptionCount
		case "cache":
			a |= cached
		}
	}
	return a
}

// queryAttributes are those that the query asks for.
func queryAttributes(c *call) attributes {
	list, _ := c.query.Get("info")
	return parseAttributes(list)
}

func (a attributes) has(b attributes) bool { return a&b != 0 }

// appendInfo appends the object of a channel's attributes, in Reverb's order. info is nil for a channel that nobody is subscribed to: only
// occupied is known of it; Pusher counts nobody there. user_count is for presence channels, subscription_count for the others, under Pusher's
// rules for all, cache for cache channels that have an event.
func appendInfo(dst []byte, a attributes, rules *config.Rules, name string, info *channels.Info) []byte {
	if info == nil && rules.PusherAnswers {
		info = &channels.Info{Kind: protocol.StrictKindOf(name)}
	}
	dst = append(dst, '{')
	start := len(dst)
	if a.has(occupied) {
		dst = append(dst, `"occupied":`...)
		dst = strconv.AppendBool(dst, info != nil && info.Subscriptions > 0)
	}
	if info == nil {
		return append(dst, '}')
	}
	presence := info.Kind.IsPresence()
	if presence && a.has(userCount) {
		dst = strconv.AppendInt(append(comma(dst, start), `"user_count":`...), int64(info.Users), 10)
	}
	if (!presence || rules.PusherAnswers) && a.has(subscriptionCount) {
		dst = strconv.AppendInt(append(comma(dst, start), `"subscription_count":`...), int64(info.Subscriptions), 10)
	}
	if info.Kind.IsCache() && a.has(cached) && info.Cache != nil {
		dst = append(append(comma(dst, start), `"cache":`...), info.Cache...)
	}
	return append(dst, '}')
}

// comma separates a member from those before it in the object or list that began at start.
func comma(dst []byte, start int) []byte {
	if len(dst) > start {
		dst = append(dst, ',')
	}
	return dst
}

// checkAttributes is Pusher's rule for one channel: an attribute that its kind cannot have is an error.
func checkAttributes(a attributes, kind protocol.Kind) *refusal {
	switch {
	case a.has(userCount) && !kind.IsPresence():
		return refuse(http.StatusBadRequest, "The user_count attribute is for presence channels only.")
	case a.has(cached) && !kind.IsCache():
		return refuse(http.StatusBadRequest, "The cache attribute is for cache channels only.")
	default:
		return nil
	}
}
