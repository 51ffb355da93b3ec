package node

import (
	"log/slog"

	"reverb/config"
	"reverb/laravel/restart"
	"reverb/metrics"
	"reverb/node/certificate"
)

// Check finds what would end a start although each value of the configuration is allowed. secure: the server would have
// a certificate.
func Check(cfg *config.Config, version string) (secure bool, err error) {
	numbers, log := metrics.New(version), slog.New(slog.DiscardHandler)
	if _, err := newRelay(cfg.Scaling, version, numbers, cacheBounds{}, log); err != nil {
		return false, err
	}
	if cfg.Pulse.Enabled {
		recorder, err := newRecorder(cfg, numbers, log)
		if err != nil {
			return false, err
		}
		recorder.Close()
	}
	if cache := cfg.Laravel.Cache; heedsSignal(cache) && cache.Trouble == "" {
		if err := restart.Check(cache); err != nil {
			return false, err
		}
	}
	pair, err := certificate.Of(cfg.Server)
	return pair != nil, err
}
