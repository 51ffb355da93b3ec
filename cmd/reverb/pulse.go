package main

import (
	"log/slog"

	"reverb/config"
	"reverb/laravel/pulse"
	"reverb/metrics"
)

// startPulse begins to count messages for Laravel Pulse, if that is wanted. Its database need not be there yet.
func (n *node) startPulse() (err error) {
	if !n.cfg.Pulse.Enabled {
		return nil
	}
	if n.counts, err = newRecorder(n.cfg, n.metrics, n.log); err != nil {
		return err
	}
	n.counts.Start()
	return nil
}

func newRecorder(cfg *config.Config, m *metrics.Metrics, log *slog.Logger) (*pulse.Recorder, error) {
	return pulse.New(pulse.Options{Config: cfg, Counts: m.AppCounts, Metrics: m.Pulse(), Log: log})
}
