package metrics

import (
	"cmp"
	"fmt"

	dto "github.com/prometheus/client_model/go"
)

// Sample is one number of a scrape, for readers in this program: the live page shows what a scraper sees.
type Sample struct {
	Name   string
	App    string // the label app; "" when there is none
	Reason string // the label reason, or else code; "" when there is neither

	Value   float64  // of a counter or a gauge; of a histogram how many observations
	Buckets []Bucket // of a histogram, ascending; nil for the others
}

// Bucket is one bucket of a histogram.
type Bucket struct {
	Most  float64 // upper bound, included
	Count uint64  // of observations up to Most
}

// Samples gathers all numbers, as a scrape does. It costs as much as one, about a millisecond.
func (m *Metrics) Samples() ([]Sample, error) {
	families, err := m.registry.Gather()
	if err != nil {
		return nil, fmt.Errorf("gather metrics: %w", err)
	}
	samples := make([]Sample, 0, 2*len(families))
	for _, f := range families {
		for _, metric := range f.GetMetric() {
			s := Sample{Name: f.GetName(), App: label(metric, "app"), Reason: cmp.Or(label(metric, "reason"), label(metric, "code"))}
			switch f.GetType() {
			case dto.MetricType_COUNTER:
				s.Value = metric.GetCounter().GetValue()
			case dto.MetricType_GAUGE:
				s.Value = metric.GetGauge().GetValue()
			case dto.MetricType_HISTOGRAM:
				s.Value = float64(metric.GetHistogram().GetSampleCount())
				for _, b := range metric.GetHistogram().GetBucket() {
					s.Buckets = append(s.Buckets, Bucket{Most: b.GetUpperBound(), Count: b.GetCumulativeCount()})
				}
			default:
				continue
			}
			samples = append(samples, s)
		}
	}
	return samples, nil
}

// label is the value of a label, "" when the metric has none of this name.
func label(metric *dto.Metric, name string) string {
	for _, l := range metric.GetLabel() {
		if l.GetName() == name {
			return l.GetValue()
		}
	}
	return ""
}
