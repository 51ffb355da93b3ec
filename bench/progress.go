package bench

import (
	"io"
	"time"

	"github.com/schollz/progressbar/v3"
)

// bar shows how far a long phase is. A nil bar shows nothing, which is what there is when nobody looks at a terminal.
type bar struct{ shown *progressbar.ProgressBar }

// newBar begins a phase of so many steps.
func newBar(w io.Writer, what string, steps int64) *bar {
	if w == nil {
		return nil
	}
	return &bar{progressbar.NewOptions64(max(steps, 1),
		progressbar.OptionSetWriter(w),
		progressbar.OptionSetDescription(what),
		progressbar.OptionSetWidth(30),
		progressbar.OptionThrottle(100*time.Millisecond),
		progressbar.OptionSetPredictTime(false),
		progressbar.OptionClearOnFinish(),
	)}
}

// at tells how many steps are done. A bar that cannot be drawn is no reason to end a measurement.
func (b *bar) at(steps int64) {
	if b != nil {
		_ = b.shown.Set64(min(steps, b.shown.GetMax64()))
	}
}

// end takes the bar away.
func (b *bar) end() {
	if b != nil {
		_ = b.shown.Finish()
	}
}
