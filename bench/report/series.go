package report

import "reverb/bench/measure"

// Measured is the latency as a report wants it.
func Measured(name string, l *measure.Latency) Latency {
	return Latency{Name: name, Summary: l.Summary(), Curve: l.Curve()}
}

// PerSecondSeries makes a series of counts per second.
func PerSecondSeries(name string, counts []int64) Series {
	s := Series{Name: name, Unit: PerSecond, XUnit: Seconds, Points: make([]Point, len(counts))}
	for i, n := range counts {
		s.Points[i] = Point{X: float64(i + 1), Y: float64(n)}
	}
	return s
}

// UsageSeries makes the series a watched server gives: memory and processor over time, and memory over connections if it grew with them.
func UsageSeries(samples []measure.Usage) []Series {
	if len(samples) < 2 {
		return nil
	}
	memory := Series{Name: "memory", Unit: Bytes, XUnit: Seconds}
	processor := Series{Name: "processor", Unit: Cores, XUnit: Seconds}
	growth := Series{Name: "memory by connections", Unit: Bytes, XUnit: Connections}
	most := int64(-1)
	for i, u := range samples {
		at := u.At.Sub(samples[0].At).Seconds()
		if u.RSS > 0 {
			memory.Points = append(memory.Points, Point{X: at, Y: float64(u.RSS)})
		}
		if i > 0 && u.CPU > 0 {
			processor.Points = append(processor.Points, Point{X: at, Y: measure.CPUCores(samples[i-1], u)})
		}
		if u.RSS > 0 && u.Connections > most {
			most = u.Connections
			growth.Points = append(growth.Points, Point{X: float64(most), Y: float64(u.RSS)})
		}
	}
	var all []Series
	for _, s := range []Series{memory, processor, growth} {
		if len(s.Points) > 1 {
			all = append(all, s)
		}
	}
	return all
}
