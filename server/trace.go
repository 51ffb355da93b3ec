package server

// Trace is the stream of data of `start --debug` (Reverb: its CLI logger); implemented by the command's console. Calls
// come from many goroutines. Payloads belong to the caller and may not be kept.
type Trace interface {
	Established(socketID string)
	MessageReceived(socketID string, payload []byte)
	MessageHandled(socketID string)
	ControlFrame(socketID string)
	BroadcastingTo(channel string, payload []byte)
	PruningStale()
	PingingInactive()
	Pinged(socketID string)
	Pruned(socketID string)
	Closed(socketID string)
	Error(socketID string, err error)
}
