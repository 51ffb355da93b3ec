package channels

// Occupied reports whether an event for this channel can find a subscriber on this node. False is certain; true may be
// a moment out of date, which costs a publisher no more than one event without receivers. It takes no channel's lock.
func (h *Hub) Occupied(app, channel string) bool { return h.registry.find(app, channel) != nil }

// Name is Occupied with the name of the channel as the hub holds it, for a caller whose own text of it does not last.
func (h *Hub) Name(app, channel string) (name string, occupied bool) {
	c := h.registry.find(app, channel)
	if c == nil {
		return "", false
	}
	return c.name, true
}
