package config_test

import (
	"slices"
	"testing"

	"reverb/config"
)

// A name that is one or two letters off is told; names that other programs have are not.
func TestSlips(t *testing.T) {
	env := write(t, ".env", `REVERB_APP_ID=1
REVERB_APP_KEY=k
REVERB_APP_SECRETT=s
REVERB_APP_SECRET=s
REVERB_HOST=ws.example.com
REVERB_PORT=443
REVERB_SCHEME=https
REVERB_TELESCOPE_INGEST_INTERVAL=15
REVERB_BIN=/usr/local/bin/reverb
REVERB_SITE=/srv/site
REVERB_APP_RATE_LIMIT=5
VITE_REVERB_APP_KEYS=k
`)
	cfg, err := config.Load(config.Source{EnvFile: env, Environ: []string{"REVERB_SCALING_ENABLE=true"}})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, slip := range cfg.Slips() {
		got = append(got, slip.String())
	}
	want := []string{
		env + ":3: REVERB_APP_SECRETT is not read. Did you mean REVERB_APP_SECRET?",
		"environment: REVERB_SCALING_ENABLE is not read. Did you mean REVERB_SCALING_ENABLED?",
	}
	if !slices.Equal(got, want) {
		t.Errorf("slips are\n%q, want\n%q", got, want)
	}
}
