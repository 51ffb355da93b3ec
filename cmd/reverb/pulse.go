package main

import "reverb/pulse"

// startPulse begins to count messages for Laravel Pulse, if that is wanted. Its database need not be there yet.
func (n *node) startPulse() (err error) {
	if !n.cfg.Pulse.Enabled {
		return nil
	}
	n.counts, err = pulse.New(pulse.Options{Config: n.cfg, Counts: n.metrics.AppCounts, Metrics: n.metrics.Pulse(), Log: n.log})
	if err != nil {
		return err
	}
	n.counts.Start()
	return nil
}
