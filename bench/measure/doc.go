// Package measure holds what a load test measures and how it tells that the measurement is sound.
//
// Every published event carries a payload that names its publisher, its number among the events of that publisher, and when it was due. The receiver takes
// the latency from the moment the event was due and not from the moment it was sent: a publisher that falls behind because the
// server pushes back would otherwise leave out just the slow ones ("coordinated omission"). The same numbers let a Checker prove that each
// subscriber had everything, once and in order.
//
// Times are nanoseconds of one monotonic clock, the same for sender and receiver; both run in one process.
//
// Hot are AppendPayload, ParsePayload, Checker.Seen, Recorder.Record and Rate.Add: one call each per delivery, without allocation.
package measure
