package main

import (
	"reverb/bench"
	"reverb/config"
	"reverb/node/certificate"
)

// siteServer finds for `reverb bench` the server that `reverb start` would be in the same folder.
func siteServer(environ []string) func(envFile string) (bench.Server, bool) {
	return func(envFile string) (bench.Server, bool) {
		cfg, err := config.Load(config.Source{EnvFile: envFile, Environ: environ})
		if err != nil || cfg.Server.Port == 0 {
			return bench.Server{}, false // `reverb check` says why; the flags may say everything
		}
		pair, err := certificate.Of(cfg.Server)
		if err != nil {
			return bench.Server{}, false
		}
		app := cfg.Apps[0]
		return bench.Server{
			Addr: healthAddress(cfg.Server), Path: cfg.Server.Prefix(), TLS: pair != nil, AppID: app.ID, Key: app.Key, Secret: app.Secret,
		}, true
	}
}
