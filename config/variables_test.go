package config_test

import (
	"strings"
	"testing"

	"reverb/config"
)

func TestVariables(t *testing.T) {
	got, err := config.Variables(config.Source{
		EnvFile: write(t, ".env", "APP_URL=https://a.test\nVITE_REVERB_HOST=\"${REVERB_HOST}\"\nA=${APP_URL}/x\nREVERB_SCHEME=https\nB=(null)\nno name =1\n"),
		Environ: []string{"REVERB_SCHEME=http", "EMPTY="},
	})
	if err == nil || !strings.Contains(err.Error(), ".env:6:") {
		t.Errorf("error %v, want one of line 6", err)
	}
	for name, want := range map[string]config.Variable{
		"APP_URL":          {Value: "https://a.test", Source: ".env:1"},
		"VITE_REVERB_HOST": {Value: "${REVERB_HOST}", Source: ".env:2"},
		"A":                {Value: "https://a.test/x", Source: ".env:3"},
		"REVERB_SCHEME":    {Value: "http", Source: "environment"},
		"B":                {Source: ".env:5"},
		"EMPTY":            {Source: "environment"},
	} {
		v := got[name]
		v.Source = v.Source[strings.LastIndex(v.Source, "/")+1:]
		if v != want {
			t.Errorf("%s = %+v, want %+v", name, v, want)
		}
	}
}
