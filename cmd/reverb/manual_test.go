package main

import (
	"os/exec"
	"strings"
	"testing"
)

func TestManuals(t *testing.T) {
	for _, tc := range []struct{ args, want string }{
		{"man", ".TH reverb 1\n"},
		{"man", "--handover"},
		{"man", "\n.SH FILES\n.TP\n\\fBconfig.toml\\fP\n"},
		{"man", "\n.SH ENVIRONMENT\n.TP\n\\fBREVERB_APP_ID, "},
		{"man", "\n.SH SIGNALS\n.TP\n\\fBSIGTERM, SIGINT\\fP\n"},
		{"man", "\n.SH EXIT STATUS\n.TP\n\\fB0\\fP\n"},
		{"man", "\n.SH EXAMPLES\n.TP\n\\fBreverb start \\-\\-host 127.0.0.1"},
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

// The script asks the program, which is here a shell function that shows what it was asked.
func TestCompletionAfterTwoDashes(t *testing.T) {
	code, script, stderr := command(t, "completion", "bash")
	if code != 0 {
		t.Fatal(stderr)
	}
	for words, want := range map[string]string{
		`ask start --`:           "start - --generate-bash-completion",
		`ask start --po`:         "start --po --generate-bash-completion",
		`ask start --port 80 --`: "start --port 80 - --generate-bash-completion",
	} {
		test := "ask() { echo \"$@\" >&3; }\n" + script + "COMP_WORDS=(" + words + "); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _reverb\n"
		cmd := exec.Command("bash", "-c", "exec 3>&1\n"+test)
		out, err := cmd.CombinedOutput()
		if err != nil || strings.TrimSpace(string(out)) != want {
			t.Errorf("%s: asked %q, want %q (%v)", words, out, want, err)
		}
	}
}
