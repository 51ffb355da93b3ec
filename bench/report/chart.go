package report

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"reverb/bench/measure"
	"reverb/bench/unit"
)

// Room of a chart: the drawing is stretched over the place it gets, so its units are only shares.
const (
	side      = 1000 // of the drawing, both ways
	maxPoints = 600  // of a line; more would not be seen and make the page heavy
	colors    = 6    // of the page's style
	maxHits   = 60   // places of a chart that tell their values
)

// chart is a picture as the page's template wants it.
type chart struct {
	Title string
	Note  string // below the title
	Label string // for those who cannot see it
	X, Y  []tick
	Lines []line
	Hits  []hit
}

// line is one curve. Color counts the colours of the page's style.
type line struct {
	Name  string
	Color int
	Path  string // SVG path
	Area  string // the same down to the ground, or empty
	Last  string // path of a dot at the end, or empty
}

// hit is a strip of the chart that tells the values below the pointer.
type hit struct {
	X, Width, Middle float64 // in units of the drawing
	Text             string
}

// curve is a line with values, before it is drawn.
type curve struct {
	name   string
	color  int
	points []Point
}

// draw makes the lines and hits from curves and axes.
func (c *chart) draw(curves []curve, x, y axis, tell func(curve, Point) string) {
	c.X, c.Y = x.ticks, y.ticks
	for _, one := range curves {
		path := trace(thin(one.points), x, y)
		drawn := line{Name: one.name, Color: one.color, Path: path}
		first, last := one.points[0], one.points[len(one.points)-1]
		if len(curves) == 1 {
			drawn.Area = fmt.Sprintf("%sL%s %dL%s %dZ", path, place(x.at(last.X)), side, place(x.at(first.X)), side)
		}
		drawn.Last = fmt.Sprintf("M%s %sh0", place(x.at(last.X)), place(1-y.at(last.Y)))
		c.Lines = append(c.Lines, drawn)
	}
	c.hits(curves, x, tell)
}

// hits lays strips over the chart, each around some point of the longest curve.
func (c *chart) hits(curves []curve, x axis, tell func(curve, Point) string) {
	longest := curves[0]
	for _, one := range curves {
		if len(one.points) > len(longest.points) {
			longest = one
		}
	}
	every := 1 + (len(longest.points)-1)/maxHits
	var at []float64
	var texts []string
	for i := 0; i < len(longest.points); i += every {
		var text []string
		for _, one := range curves {
			if n := nearest(one.points, longest.points[i].X); n >= 0 {
				text = append(text, tell(one, one.points[n]))
			}
		}
		at = append(at, side*x.at(longest.points[i].X))
		texts = append(texts, strings.Join(text, "\n"))
	}
	for i, middle := range at {
		from, to := 0.0, float64(side)
		if i > 0 {
			from = (at[i-1] + middle) / 2
		}
		if i+1 < len(at) {
			to = (middle + at[i+1]) / 2
		}
		c.Hits = append(c.Hits, hit{X: round2(from), Width: round2(max(to-from, 0)), Middle: round2(middle), Text: texts[i]})
	}
}

// nearest is the index of the point closest to x.
func nearest(points []Point, x float64) int {
	best := -1
	for i, p := range points {
		if best < 0 || abs(p.X-x) < abs(points[best].X-x) {
			best = i
		}
	}
	return best
}

// trace is the SVG path through the points.
func trace(points []Point, x, y axis) string {
	var b strings.Builder
	for i, p := range points {
		b.WriteByte("ML"[min(i, 1)])
		b.WriteString(place(x.at(p.X)) + " " + place(1-y.at(p.Y)))
	}
	return b.String()
}

// thin keeps of many points the least and the greatest of each stretch, so that no peak is lost.
func thin(points []Point) []Point {
	if len(points) <= maxPoints {
		return points
	}
	var kept []Point
	stretches := maxPoints / 2
	for i := range stretches {
		part := points[i*len(points)/stretches : (i+1)*len(points)/stretches]
		low, high := 0, 0
		for j, p := range part {
			if p.Y < part[low].Y {
				low = j
			}
			if p.Y > part[high].Y {
				high = j
			}
		}
		kept = append(kept, part[min(low, high)])
		if low != high {
			kept = append(kept, part[max(low, high)])
		}
	}
	return kept
}

// latencyChart draws distributions, latency over the share of all that took no longer.
func latencyChart(title string, curves []curve) (chart, bool) {
	curves = drawable(curves, func(p Point) bool { return p.X >= 0 && p.X <= 1 && p.Y >= 0 })
	if len(curves) == 0 {
		return chart{}, false
	}
	least, most, share := float64(time.Minute), 1.0, 0.0
	for _, one := range curves {
		for _, p := range one.points {
			least, most = min(least, max(p.Y, float64(time.Microsecond))), max(most, p.Y)
			if p.X < 1 {
				share = max(share, p.X)
			}
		}
	}
	y := linearAxis(most, Nanoseconds, true)
	if most/least > wideSpread {
		y = logAxis(least, most, Nanoseconds)
	}
	c := chart{Title: title, Label: title + ", latency by percentile"}
	c.draw(curves, ninesAxis(share), y, func(one curve, p Point) string {
		at := "max"
		if p.X < 1 {
			at = strconv.FormatFloat(100*p.X, 'g', 6, 64) + " %"
		}
		return at + ": " + unit.Human(p.Y, Nanoseconds) + "  " + one.name
	})
	return c, true
}

// seriesChart draws values over time or over what else X counts.
func seriesChart(title, yUnit, xUnit string, curves []curve) (chart, bool) {
	curves = drawable(curves, func(p Point) bool { return p.X >= 0 && p.Y >= 0 })
	if len(curves) == 0 {
		return chart{}, false
	}
	var x, y float64
	for _, one := range curves {
		for _, p := range one.points {
			x, y = max(x, p.X), max(y, p.Y)
		}
	}
	c := chart{Title: title, Label: fmt.Sprintf("%s over %s, at most %s", title, over(xUnit), unit.Human(y, yUnit))}
	c.draw(curves, linearAxis(x, tickUnit(xUnit), false), linearAxis(y, yUnit, true), func(one curve, p Point) string {
		return unit.Human(p.X, xUnit) + ": " + unit.Human(p.Y, yUnit) + "  " + one.name
	})
	return c, true
}

// over names what a chart goes over.
func over(xUnit string) string {
	if xUnit == Seconds {
		return "time"
	}
	return xUnit
}

// tickUnit leaves out of an axis what is too long to repeat at each tick.
func tickUnit(xUnit string) string {
	if xUnit == Seconds {
		return Seconds
	}
	return Count
}

// drawable leaves out points that have no place on the chart, and lines of less than two.
func drawable(curves []curve, ok func(Point) bool) []curve {
	var out []curve
	for _, one := range curves {
		var points []Point
		for _, p := range one.points {
			if ok(p) { // false for what is no number, too
				points = append(points, p)
			}
		}
		if len(points) > 1 {
			one.points = points
			out = append(out, one)
		}
	}
	return out
}

// curveOf is a distribution as points: X is the share.
func curveOf(quantiles []measure.Quantile) []Point {
	points := make([]Point, len(quantiles))
	for i, q := range quantiles {
		points[i] = Point{X: q.At, Y: float64(q.Value)}
	}
	return points
}

// place is a share of the drawing's side.
func place(share float64) string { return strconv.FormatFloat(round2(side*share), 'f', -1, 64) }

func round2(v float64) float64 { return float64(int64(v*100+0.5)) / 100 }

func abs(v float64) float64 {
	if v < 0 {
		return -v
	}
	return v
}
