// Package bench is `reverb bench`: a load test for any server of the Pusher protocol, so that servers can be compared.
//
// A run is one scenario with its settings against one server. It prepares (connects and subscribes), warms up, measures, and drains:
// it waits until everything that was sent has come, because every delivery is checked. The sub-packages do the work below: client
// drives the connections, measure knows what a figure is and when it can be believed, report writes the results down.
//
// The program that measures is on the same machine as the server more often than not, and it may be the slower of the two. So each result
// carries a verdict on the client; a figure that says how fast the client was is never shown as the server's.
//
// The order of reading: scenario.go has the table of scenarios, rig.go what they all stand on, audience.go and traffic.go the two halves
// of most of them, schedule.go and gate.go what keeps those honest.
package bench
