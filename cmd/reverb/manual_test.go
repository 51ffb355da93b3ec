package main

import (
	"strings"
	"testing"
)

func TestManuals(t *testing.T) {
	for _, tc := range []struct{ args, want string }{
		{"man", ".TH reverb 1\n"},
		{"man", "--handover"},
		{"completion bash", "complete -o bashdefault -o default -F _reverb reverb\n"},
		{"completion zsh", "#compdef reverb\n"},
		{"completion fish", "-l handover"},
	} {
		code, out, stderr := command(t, strings.Fields(tc.args)...)
		if code != 0 || !strings.Contains(out, tc.want) {
			t.Errorf("%s: exit code %d, no %q in:\n%.500s%s", tc.args, code, tc.want, out, stderr)
		}
	}
	if code, _, stderr := command(t, "completion", "tcsh"); code != 1 || !strings.Contains(stderr, "want bash, zsh or fish") {
		t.Errorf("exit code %d: %s", code, stderr)
	}
}
