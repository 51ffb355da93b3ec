package main

import (
	"reverb/config"
	"reverb/laravel/restart"
)

// startSignal begins to look for Laravel's own restart signal, when the cache that it comes through is known.
func (n *node) startSignal() (err error) {
	conf := n.cfg.Laravel.Cache
	if conf.Signal && conf.Trouble != "" {
		n.log.Warn("`php artisan reverb:restart` does not reach this server; `reverb restart` does", "laravel.cache_store", conf.Store+conf.Other, "err", conf.Trouble)
		return nil
	}
	if !heedsSignal(conf) {
		return nil
	}
	n.signal, err = restart.New(conf, n.log)
	return err
}

func heedsSignal(c config.Cache) bool { return c.Signal && c.Store != "" }
