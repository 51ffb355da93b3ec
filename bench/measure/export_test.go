package measure

import (
	"context"
)

// Private names that have a test of their own.
var (
	ParsePage = parsePage
	Command   = command
)

// MaxGaps is how many missing events are known by name.
const MaxGaps = maxGaps

type fakeSource func(exact bool) (Usage, error)

func (f fakeSource) name() string { return "fake" }

func (f fakeSource) read(_ context.Context, exact bool) (Usage, error) { return f(exact) }

// FakeProcess is a Process that reads what read returns.
func FakeProcess(read func(exact bool) (Usage, error)) *Process {
	return &Process{source: fakeSource(read)}
}

// BusyShare is the share of time a machine was busy between two readings of its ticks.
func BusyShare(fromBusy, fromIdle, toBusy, toIdle int64) float64 {
	return machineTime{toBusy, toIdle}.busySince(machineTime{fromBusy, fromIdle})
}
