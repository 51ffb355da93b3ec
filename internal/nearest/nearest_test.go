package nearest_test

import (
	"testing"

	"reverb/internal/nearest"
)

func TestWord(t *testing.T) {
	commands := []string{"start", "restart", "reload", "install", "check", "doctor", "health", "bench", "version"}
	for typed, want := range map[string]string{
		"sttart": "start", "START": "start", "restrat": "restart", "relaod": "reload", "chek": "check",
		"instal": "install", "benhc": "bench", "doktor": "doctor",
		"": "", "x": "", "publish": "", "-": "", "zzzzzzzz": "",
	} {
		if got := nearest.Word(typed, commands); got != want {
			t.Errorf("%q: %q, want %q", typed, got, want)
		}
	}
}

func TestQuestion(t *testing.T) {
	if got, want := nearest.Question("prot", []string{"host", "port"}), " Did you mean port?"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got := nearest.Question("webhooks", []string{"host", "port"}); got != "" {
		t.Errorf("%q for a word that nothing is like", got)
	}
}
