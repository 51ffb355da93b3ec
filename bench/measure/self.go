package measure

import (
	"fmt"
	"runtime"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"reverb/bench/unit"
)

// When the client is said to be the limit.
const (
	// A loop that waits less than 15 % of its time has events waiting for it: what it measures is its own queue. At 85 % of a random
	// load, an event waits for some six others on average.
	busyLimit = 0.85
	// Latency counts from when an event was due, so a late schedule is in it. A tenth of the median is still small.
	lateLimit = 0.10
	// The same for the slow end, where one pause of the client decides.
	lateTailLimit = 0.25
	// Below this (ns) lateness is the clock's and the scheduler's grain and not judged.
	lateGrain = 5 * time.Microsecond
	// Its publishers are goroutines and no loops; with all cores in use they wait for each other, too.
	coresLimit = 0.9
	// A machine fuller than this has client and server wait for each other's cores.
	machineLimit = 0.95
	// Cores that others use are missing to the server, and come and go.
	othersLimit = 0.15
)

// Self watches the load generator itself, so that its limits are not told as the server's. Late may be called by any goroutine.
type Self struct {
	loops   int
	busy    time.Duration // of all loops together, at the start
	started time.Time
	cpu     time.Duration
	machine machineTime
	late    *Latency
}

// SelfReport is how the client did during a measurement.
type SelfReport struct {
	Seconds float64  `json:"seconds"`
	Loops   int      `json:"loops"`
	Cores   int      `json:"cores"`                  // that the client could have used
	CPU     float64  `json:"cpu_cores"`              // that it used
	Busy    float64  `json:"busy"`                   // share of time its loops were not waiting, 0 to 1
	Machine float64  `json:"machine,omitempty"`      // share of time the machine's cores were busy, 0 to 1; 0: unknown
	Others  float64  `json:"others_cores,omitempty"` // cores that programs beside client and server used, see Beside
	Late    Summary  `json:"late"`                   // how late events of a schedule were sent; empty when there was no schedule
	Limit   bool     `json:"limit"`                  // the client was the limit: the figures are not the server's
	Reasons []string `json:"reasons,omitempty"`      // why it was
	Notes   []string `json:"notes,omitempty"`        // what else to know before believing the figures
}

// NewSelf begins a measurement. loops is the number of the client's event loops, busyNs how long they have been busy so far in all.
func NewSelf(loops int, busyNs int64) *Self {
	return &Self{
		loops:   loops,
		busy:    time.Duration(busyNs),
		started: time.Now(),
		cpu:     ownCPU(),
		machine: readMachine(),
		late:    NewLatency(1),
	}
}

// Late records how late (ns) an event of a fixed schedule was sent.
func (s *Self) Late(ns int64) { s.late.Record(ns) }

// Report ends the measurement and judges it. latency is what was measured of the server meanwhile, empty if nothing was.
func (s *Self) Report(busyNs int64, latency Summary) SelfReport {
	elapsed := time.Since(s.started)
	r := SelfReport{
		Seconds: elapsed.Seconds(),
		Loops:   s.loops,
		Cores:   runtime.GOMAXPROCS(0),
		Machine: readMachine().busySince(s.machine),
		Late:    s.late.Summary(),
	}
	if elapsed > 0 {
		r.CPU = float64(ownCPU()-s.cpu) / float64(elapsed)
		r.Busy = float64(time.Duration(busyNs)-s.busy) / float64(elapsed) / float64(max(s.loops, 1))
	}
	return r.Judge(latency)
}

// Judge fills in Limit, Reasons and Notes from the numbers and the latency measured of the server. The rules: the loops waited less
// than 15 % of the time; or the client used nearly all cores that it may use; or the median event was sent later than a tenth of the
// median latency; or the same at the 99th percentile with a quarter.
func (r SelfReport) Judge(latency Summary) SelfReport {
	r.Reasons, r.Notes = nil, nil
	if r.Busy > busyLimit {
		r.Reasons = append(r.Reasons, fmt.Sprintf("its %s busy %s of the time", plural(r.Loops, "loop was", "loops were"), percent(r.Busy)))
	}
	if r.Cores > 0 && r.CPU > coresLimit*float64(r.Cores) {
		r.Reasons = append(r.Reasons, fmt.Sprintf("it used %.2f of the %d cores that it may use", r.CPU, r.Cores))
	}
	if tooLate(r.Late.P50, latency.P50, lateLimit) {
		r.Reasons = append(r.Reasons, fmt.Sprintf("it sent events %s late, where the median latency is %s",
			unit.Time(r.Late.P50), unit.Time(latency.P50)))
	} else if tooLate(r.Late.P99, latency.P99, lateTailLimit) {
		r.Reasons = append(r.Reasons, fmt.Sprintf("it sent 1 %% of events more than %s late, where the latency's p99 is %s",
			unit.Time(r.Late.P99), unit.Time(latency.P99)))
	}
	r.Limit = len(r.Reasons) > 0
	if r.Machine > machineLimit {
		r.Notes = append(r.Notes, fmt.Sprintf("the machine was %s busy: the server competed for its cores with the client or with others", percent(r.Machine)))
	}
	if r.Others > othersLimit {
		r.Notes = append(r.Notes, fmt.Sprintf("other programs used %.2f cores meanwhile: the figures are not those of a quiet machine", r.Others))
	}
	return r
}

// Beside fills in Others, from the mean number of cores that a server on the same machine used meanwhile; to be followed by Judge.
func (r SelfReport) Beside(server float64) SelfReport {
	r.Others = 0
	if r.Machine > 0 {
		r.Others = max(r.Machine*float64(runtime.NumCPU())-r.CPU-server, 0)
	}
	return r
}

func tooLate(late, latency time.Duration, share float64) bool {
	return late > lateGrain && latency > 0 && float64(late) > share*float64(latency)
}

// Verdict is the judgement in words.
func (r SelfReport) Verdict() string {
	var b strings.Builder
	if r.Limit {
		b.WriteString("the client was the limit: " + strings.Join(r.Reasons, "; ") + ". The server can do better than these figures")
	} else {
		fmt.Fprintf(&b, "the client kept up: its %s busy %s of the time", plural(r.Loops, "loop was", "loops were"), percent(r.Busy))
		if r.Late.Count > 0 {
			fmt.Fprintf(&b, ", events were sent %s late at the median, %s at p99", unit.Time(r.Late.P50), unit.Time(r.Late.P99))
		}
	}
	for _, note := range r.Notes {
		b.WriteString("; " + note)
	}
	return b.String()
}

func plural(n int, one, more string) string {
	if n == 1 {
		return one
	}
	return fmt.Sprintf("%d %s", n, more)
}

func percent(share float64) string { return fmt.Sprintf("%.0f %%", 100*share) }

// ownCPU is this process's time on the processor, 0 where that is not told.
func ownCPU() time.Duration {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// machineTime is the time of all cores of the machine since it started, in ticks.
type machineTime struct{ busy, idle int64 }

// busySince is the share of time the cores were busy, 0 when unknown.
func (m machineTime) busySince(from machineTime) float64 {
	busy, idle := m.busy-from.busy, m.idle-from.idle
	if busy+idle <= 0 {
		return 0
	}
	return float64(busy) / float64(busy+idle)
}
