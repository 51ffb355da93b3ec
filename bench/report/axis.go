package report

import (
	"math"
	"strconv"

	"reverb/bench/unit"
)

// axis maps values to a share of a chart's side, 0 to 1, and names a few of them.
type axis struct {
	at    func(value float64) float64
	ticks []tick
}

// tick is a value with a name; At is in percent of the side.
type tick struct {
	At   float64
	Text string
}

const (
	someTicks   = 4     // on a linear axis; up to twice as many come out
	wideSpread  = 20    // a latency chart over more than this factor is drawn logarithmically
	mostDecades = 7     // decades of a logarithmic axis that get a name each
	maxNines    = 9.0   // 99.9999999 %
	leastTop    = 1e-12 // a chart of less is as empty as one of nothing,
	mostTop     = 1e300 // and beyond this floating point has no room for a step more
	tickRoom    = 0.14  // share of the side that a percentile's name needs on a phone
)

// linearAxis goes from 0 to the greatest value; round goes on to the next tick.
func linearAxis(top float64, in string, round bool) axis {
	if !(top > leastTop) {
		top = 1
	}
	top = min(top, mostTop)
	step := niceCeil(top / someTicks)
	if round {
		top = math.Ceil(top/step-1e-9) * step
	}
	a := axis{at: func(v float64) float64 { return clamp(v / top) }}
	for i := 0; float64(i)*step <= top*(1+1e-9); i++ {
		a.add(float64(i)*step, unit.Short(roundTo(float64(i)*step, step), in))
	}
	return a
}

// logAxis goes over powers of ten; the ends are 1, 2 or 5 times one.
func logAxis(least, most float64, in string) axis {
	low, high := math.Log10(niceFloor(least)), math.Log10(niceCeil(most))
	if high <= low {
		high = low + 1
	}
	a := axis{at: func(v float64) float64 { return clamp((math.Log10(v) - low) / (high - low)) }}
	factors := []float64{1}
	if high-low < 2.5 {
		factors = []float64{1, 2, 5}
	}
	every := 1 + int(high-low)/mostDecades
	for decade := int(math.Floor(low + 1e-9)); float64(decade) <= high+1e-9; decade += every {
		for _, factor := range factors {
			value := factor * math.Pow10(decade)
			if at := math.Log10(value); at > low-1e-9 && at < high+1e-9 {
				a.add(value, unit.Short(value, in))
			}
		}
	}
	return a
}

// ninesAxis is the axis of HdrHistogram's charts: as much room from 90 % to 99 % as from 99 % to 99.9 %. It goes on to the share most;
// what is beyond, the maximum, stands at its end.
func ninesAxis(most float64) axis {
	end := nines(most) + 0.15
	a := axis{at: func(share float64) float64 {
		if share >= 1 {
			return 1
		}
		return clamp(nines(share) / end)
	}}
	last := -1.0
	for _, share := range []float64{0, 0.5, 0.9, 0.99, 0.999, 0.9999, 0.99999, 0.999999, 0.9999999} {
		if at := a.at(share); nines(share) <= end && at-last >= tickRoom {
			name := "p" + strconv.FormatFloat(100*share, 'g', 9, 64)
			if share == 0 {
				name = "min"
			}
			a.add(share, name)
			last = at
		}
	}
	if 1-last >= tickRoom {
		a.add(1, "max")
	}
	return a
}

// nines is how many nines a share has: 0.9 has one, 0.99 two.
func nines(share float64) float64 {
	return min(-math.Log10(1-min(max(share, 0), 1)), maxNines)
}

func (a *axis) add(value float64, text string) {
	a.ticks = append(a.ticks, tick{At: percentOf(a.at(value)), Text: text})
}

// niceCeil is the least of 1, 2, 5, 10, … and their tenths that is not below v.
func niceCeil(v float64) float64 {
	decade := math.Pow(10, math.Floor(math.Log10(v)))
	for _, factor := range []float64{1, 2, 5} {
		if factor*decade >= v*(1-1e-9) {
			return factor * decade
		}
	}
	return 10 * decade
}

// niceFloor is the greatest of them that is not above v.
func niceFloor(v float64) float64 {
	decade := math.Pow(10, math.Floor(math.Log10(v)+1e-9))
	for _, factor := range []float64{5, 2} {
		if factor*decade <= v*(1+1e-9) {
			return factor * decade
		}
	}
	return decade
}

// roundTo drops what floating point adds to a multiple of step.
func roundTo(v, step float64) float64 {
	if step >= 1 {
		return math.Round(v)
	}
	digits := math.Pow(10, math.Ceil(-math.Log10(step))+1)
	return math.Round(v*digits) / digits
}

func clamp(share float64) float64 {
	if math.IsNaN(share) {
		return 0
	}
	return min(max(share, 0), 1)
}

// percentOf writes a share in percent with two digits, so that the page stays small.
func percentOf(share float64) float64 { return math.Round(share*1e4) / 100 }
