package measure

// Self watches the load generator itself, so that its limits are not told as the server's.
type Self struct {
	loops int
	late  *Latency
}

// SelfReport is how the client did during a measurement.
type SelfReport struct {
	Seconds float64  `json:"seconds"`
	Loops   int      `json:"loops"`
	CPU     float64  `json:"cpu_cores"`         // cores this process used
	Cores   int      `json:"cores"`             // cores it could have used
	Busy    float64  `json:"busy"`              // share of time its loops were not waiting, 0 to 1
	Machine float64  `json:"machine,omitempty"` // share of time the machine's cores were busy, 0 to 1; 0: unknown
	Late    Summary  `json:"late"`              // how late scheduled events were sent; none when nothing was scheduled
	Limit   bool     `json:"limit"`             // the client was the limit: the figures are not the server's
	Reasons []string `json:"reasons,omitempty"` // why, and what else throws doubt on the figures
}

// NewSelf begins a measurement. loops is the number of the client's event loops, busyNs what they have been busy so far (Fleet.Stats).
func NewSelf(loops int, busyNs int64) *Self { return &Self{loops: loops, late: NewLatency(1)} }

// Late records how late (ns) an event of a fixed schedule was sent.
func (s *Self) Late(ns int64) { s.late.Record(ns) }

// Report ends the measurement and judges it. latency is what was measured of the server meanwhile; zero if nothing was.
func (s *Self) Report(busyNs int64, latency Summary) SelfReport { return SelfReport{} }

// Verdict is the judgement in a sentence: "the client was the limit: …" or "the client kept up …".
func (r SelfReport) Verdict() string { return "" }
