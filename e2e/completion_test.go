package e2e_test

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// Completion must never run what it completes.
const complete = "--generate-bash-completion"

func TestCompletionKnowsCommandsAndFlags(t *testing.T) {
	for _, tc := range []struct {
		args []string
		want []string // lines
	}{
		{nil, []string{"start", "restart", "doctor", "bench", "completion"}},
		{[]string{"start", "-"}, []string{"--host", "--config"}},
		{[]string{"completion"}, []string{"bash", "zsh", "fish"}},
		{[]string{"start"}, nil},
		{[]string{"start", "--config"}, nil},
	} {
		said, err := exec.Command(bin, append(tc.args, complete)...).CombinedOutput()
		lines := strings.Split(string(said), "\n")
		for _, want := range tc.want {
			if err != nil || !slices.Contains(lines, want) {
				t.Errorf("%v: %v, no %s in:\n%s", tc.args, err, want, said)
			}
		}
		for _, hidden := range []string{"--first-event", "--no-interaction"} {
			if slices.Contains(lines, hidden) {
				t.Errorf("%v: offers %s, which is hidden", tc.args, hidden)
			}
		}
		if tc.want == nil && strings.TrimSpace(string(said)) != "" {
			t.Errorf("%v: said\n%s", tc.args, said)
		}
	}
}
