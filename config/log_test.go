package config_test

import (
	"strings"
	"testing"

	"reverb/config"
)

func TestLog(t *testing.T) {
	if got, want := load(t, oneApp).Log, (config.Log{Level: "info", Format: "console"}); got != want {
		t.Errorf("default %+v, want %+v", got, want)
	}
	c := load(t, "[log]\nlevel = \"error\"\nformat = \"json\"\n"+oneApp, "REVERB_LOG_LEVEL=warn")
	if want := (config.Log{Level: "warn", Format: "json"}); c.Log != want || c.Log.Slog().String() != "WARN" {
		t.Errorf("got %+v, want %+v", c.Log, want)
	}
	_, err := config.Load(source(t, "[log]\nlevel = \"loud\"\nformat = 1\n"+oneApp, "REVERB_LOG_FORMAT=xml"))
	for _, want := range []string{`config.toml:2: log.level = "loud": want one of "debug", "info", "warn", "error"`,
		`config.toml:3: log.format = 1: want one of "console", "json"`, `environment: REVERB_LOG_FORMAT = "xml" (log.format): want one of "console", "json"`} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("no %q in %v", want, err)
		}
	}
}

// Errors of a configuration are written in the style that this configuration asks for.
func TestLogOfABrokenConfiguration(t *testing.T) {
	s := source(t, "[server]\nport = \"x\"\n[log]\nlevel = \"loud\"\nformat = \"json\"\n")
	if got, want := config.LogOf(s), (config.Log{Level: "info", Format: "json"}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	s.File, s.Environ = "/nowhere.toml", []string{"REVERB_LOG_LEVEL=error"}
	if got, want := config.LogOf(s), (config.Log{Level: "error", Format: "console"}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}
