package doctor

import (
	"context"
	"strings"

	"reverb/config"
)

// Signal is what a look at the site's cache has found.
type Signal struct {
	Keys  []string // that were looked for, or the file
	Found bool     // one of them is there
}

// restartSignal is the part about `php artisan reverb:restart`.
type restartSignal struct{ *examination }

// check looks for Laravel's restart signal where the server would.
func (e restartSignal) check() {
	const check, title = "laravel.signal", "php artisan reverb:restart"
	const why = "the signal does not reach the server, which goes on with the old code and configuration"
	cache := e.cfg.Laravel.Cache
	store := cache.Store + cache.Other
	switch {
	case !e.usable:
		e.skip(check, title, "the configuration cannot be used")
		return
	case !cache.Signal:
		e.skip(check, title, "laravel.restart_signal is off")
		return
	case cache.Trouble != "":
		e.warn(check, title, "cache store "+store+": "+short(cache.Trouble), why, "reverb restart, in place of it", "or "+e.at("CACHE_STORE")+"CACHE_STORE=redis, database or file")
		return
	case store == "":
		e.skip(check, title, "no cache store is known (CACHE_STORE): nothing is looked for")
		return
	}
	ctx, cancel := e.step()
	defer cancel()
	signal, err := e.probes.Signal(ctx, cache)
	keys := short(strings.Join(signal.Keys, ", "))
	switch {
	case err != nil:
		e.warn(check, title, "the cache store "+store+" cannot be read: "+short(err.Error()), why,
			"config.toml: [laravel], with [database] or [scaling.redis]", "or restart_signal = false there, and reverb restart in place of it")
	case !signal.Found:
		e.ok(check, title, "the cache store %s can be read, and has no signal yet; looked for %s. Whether the site writes there shows once it was called", store, keys)
	default:
		e.ok(check, title, "it is heeded: the cache store %s has %s", store, keys)
	}
}

// noSignal is the probe of a caller that does not set one.
func noSignal(context.Context, config.Cache) (Signal, error) { return Signal{}, ErrNotAsked }
