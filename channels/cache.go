package channels

import "reverb/protocol"

// cached is the last event of a cache channel. It lives as long as the channel has a subscriber and has no other end
// (Reverb: CacheChannel; Pusher forgets it after 30 minutes).
type cached struct {
	event []byte // JSON as sent, immutable
}

// storeLocked keeps event if this is a cache channel. Member announcements never come here, though Reverb caches
// member_removed. The caller holds c.mu.
func (c *Channel) storeLocked(event []byte) {
	if event != nil && c.kind.IsCache() {
		c.cache = &cached{event: event}
	}
}

// cachedFrameLocked is what a new subscriber of a cache channel gets after the reply. The caller holds c.mu.
func (c *Channel) cachedFrameLocked() protocol.Frame {
	if c.cache == nil {
		return protocol.CacheMissFrame(c.name)
	}
	return protocol.TextFrame(c.cache.event)
}
