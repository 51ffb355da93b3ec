package doctor_test

import (
	"context"
	"errors"
	"testing"

	"reverb/config"
	"reverb/doctor"
)

func TestRestartSignal(t *testing.T) {
	for _, c := range []struct {
		name   string
		change map[string]string
		config string
		signal doctor.Signal
		err    error
		status doctor.Status
		says   string
	}{
		{"heard", map[string]string{"CACHE_STORE": "file"}, "", doctor.Signal{Keys: []string{"the-key"}, Found: true}, nil, doctor.OK, "heeded: the cache store file has the-key"},
		{"not yet", map[string]string{"CACHE_STORE": "redis"}, "", doctor.Signal{Keys: []string{"a", "b"}}, nil, doctor.OK, "no signal yet; looked for a, b"},
		{"Laravel's default", map[string]string{"DB_CONNECTION": "mysql"}, "", doctor.Signal{Keys: []string{"k"}, Found: true}, nil, doctor.OK, "store database"},
		{"unreachable", map[string]string{"CACHE_STORE": "redis"}, "", doctor.Signal{}, errors.New("connection refused"), doctor.Warning, "connection refused"},
		{"not to be heard", map[string]string{"CACHE_STORE": "memcached"}, "", doctor.Signal{Found: true}, nil, doctor.Warning, "memcached"},
		{"not to be derived", map[string]string{"CACHE_STORE": "redis", "APP_NAME": "Привет"}, "", doctor.Signal{Found: true}, nil, doctor.Warning, "CACHE_PREFIX"},
		{"off", map[string]string{"CACHE_STORE": "redis"}, "[laravel]\nrestart_signal = false\n", doctor.Signal{Found: true}, nil, doctor.Skipped, "off"},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := options(t, changed(c.change), c.config)
			o.Probes.Signal = func(context.Context, config.Cache) (doctor.Signal, error) { return c.signal, c.err }
			expect(t, run(t, o), "laravel.signal", c.status, c.says)
		})
	}
}
