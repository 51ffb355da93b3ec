package metrics

import "github.com/prometheus/client_golang/prometheus"

// unknown is the app label of whatever belongs to no configured application.
const unknown = "unknown"

// buckets of the two histograms, in seconds. A broadcast to a small channel takes some ten microseconds and one to a hundred
// thousand sockets some ten milliseconds; a ping travels the internet, and comes late when the client's device sleeps.
var (
	broadcastBuckets = []float64{.00001, .000025, .0001, .00025, .001, .0025, .01, .025, .1, .25, 1, 5}
	pingBuckets      = []float64{.001, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30}
)

// name is one metric's full name and help text.
type name struct{ name, help string }

var (
	nameBuildInfo = name{"reverb_build_info", "Always 1; the labels say what is running."}

	nameConnections       = name{"reverb_connections", "WebSocket connections open now, by app."}
	nameConnectionsOpened = name{"reverb_connections_opened_total", "WebSocket connections accepted for an app."}
	nameConnectionsClosed = name{"reverb_connections_closed_total", "WebSocket connections of an app that ended, by reason."}
	nameRefused           = name{"reverb_connections_refused_total", "WebSocket connections refused with a Pusher error, by app and reason."}

	nameReceived  = name{"reverb_messages_received_total", "Messages that clients sent, pings and refused ones included."}
	nameInvalid   = name{"reverb_messages_invalid_total", "Client messages answered with pusher:error, by error code."}
	nameSent      = name{"reverb_messages_sent_total", "Deliveries: one message handed to one connection."}
	namePublished = name{"reverb_messages_published_total", "Events published, one for each channel, by source."}
	nameDropped   = name{"reverb_messages_dropped_total", "Messages given up instead of delivered, by reason."}

	nameRequests = name{"reverb_http_requests_total", "HTTP requests answered, by app, route and status."}
	nameUncached = name{"reverb_cached_events_dropped_total", "Last events of cache channels that were not kept, or had to go, because of the app's bound on them."}

	nameBroadcastSeconds = name{"reverb_broadcast_seconds", "Time of one pass over a channel's subscribers."}
	namePingSeconds      = name{"reverb_ping_round_trip_seconds", "Time from the server's ping to the client's answer."}

	nameChannels      = name{"reverb_channels", "Channels with at least one subscription on this node."}
	nameSubscriptions = name{"reverb_subscriptions", "Subscriptions on this node: pairs of connection and channel."}
	nameSockets       = name{"reverb_sockets", "Open sockets of the public port: WebSocket, HTTP and those in the handshake."}
	nameOutboxBytes   = name{"reverb_outbox_bytes", "Bytes that wait for slow sockets, all connections together, an event that waits for many counted once."}
	nameDraining      = name{"reverb_draining", "1 from the moment when the node was asked to stop, before that 0."}
	nameDrainLeft     = name{"reverb_drain_connections", "Connections that a node that was asked to stop has still to close."}
	nameConfigLoaded  = name{"reverb_config_loaded_timestamp_seconds", "When the configuration that is in force was read."}
	nameConfigRefused = name{"reverb_config_reload_refused", "1 when the last reload found a configuration that cannot be used, else 0."}
	nameBytesIn       = name{"reverb_received_bytes_total", "Bytes read by the event loops: WebSocket frames and the heads of requests."}
	nameBytesOut      = name{"reverb_sent_bytes_total", "Bytes written to WebSocket connections."}
	nameFramesIn      = name{"reverb_received_frames_total", "Messages and control frames read from WebSocket connections."}
	nameLogDropped    = name{"reverb_log_lines_dropped_total", "Lines of the log that were dropped because nothing took them."}
	nameSocketRefused = name{"reverb_sockets_refused_total", "Sockets turned away before they were a WebSocket, by reason."}
	nameSocketClosed  = name{"reverb_sockets_closed_total", "WebSockets that ended, by reason of the transport."}

	nameAcceptFailed = name{"reverb_accept_failures_total", "Failures to accept a connection of control socket, metrics or live page, for want of descriptors or memory."}

	nameRelayUp          = name{"reverb_relay_up", "1 while this node reaches the others through Redis, 0 while it does not."}
	nameRelayNodes       = name{"reverb_relay_nodes", "Nodes that live, as this node knows, itself included."}
	nameRelayWaiting     = name{"reverb_relay_waiting_bytes", "Bytes of messages that wait for Redis to come back."}
	nameRelayPublished   = name{"reverb_relay_published_total", "Messages published for other nodes: sent to Redis, or waiting for it."}
	nameRelayReceived    = name{"reverb_relay_received_total", "Messages of other nodes."}
	nameRelayDuplicates  = name{"reverb_relay_duplicates_total", "Messages that came twice and were delivered once."}
	nameRelayLost        = name{"reverb_relay_lost_total", "Messages of other nodes that never came, by the gaps in their numbers."}
	nameRelayDisconnects = name{"reverb_relay_disconnects_total", "Lost connections to Redis."}
	nameRelayDropped     = name{"reverb_relay_dropped_total", "Messages that did not go to other nodes or come from them, by reason."}
	nameRelayIgnored     = name{"reverb_relay_ignored_total", "Messages that are none of ours or cannot be read, by reason."}
	nameRelayQueries     = name{"reverb_relay_queries_total", "Questions to the cluster, by result: whole, or partial when a node did not answer."}

	namePulseWritten = name{"reverb_pulse_written_total", "Messages whose counts Laravel Pulse has got."}
	namePulseLost    = name{"reverb_pulse_lost_total", "Messages whose counts were given up."}
	namePulseWaiting = name{"reverb_pulse_waiting", "Messages whose counts wait to be written."}
	namePulseUp      = name{"reverb_pulse_up", "1 when the last write for Laravel Pulse succeeded, 0 when it did not."}
)

func (n name) counter() prometheus.CounterOpts {
	return prometheus.CounterOpts{Name: n.name, Help: n.help}
}
func (n name) gauge() prometheus.GaugeOpts { return prometheus.GaugeOpts{Name: n.name, Help: n.help} }

func (n name) histogram(buckets []float64) prometheus.HistogramOpts {
	return prometheus.HistogramOpts{Name: n.name, Help: n.help, Buckets: buckets}
}

func (n name) desc(labels ...string) *prometheus.Desc {
	return prometheus.NewDesc(n.name, n.help, labels, nil)
}
