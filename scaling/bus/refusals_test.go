package bus_test

import (
	"testing"

	"reverb/scaling/bus"
)

func TestCodeOfAnError(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"READONLY You can't write against a read only replica. script: 2d0ad, on @user_script:1.": "READONLY",
		"OOM command not allowed when used memory > 'maxmemory'.":                                 "OOM",
		// Redis 6 tells what stopped a script in a text of its own.
		"ERR Error running script (call to f_2d0ad): @user_script:3: @user_script: 3: -READONLY You can't write against a read only replica.": "READONLY",
		"ERR Error running script (call to f_2d0ad): @user_script:1: -OOM command not allowed when used memory > 'maxmemory'.":                "OOM",
		"ERR Error running script (call to f_2d0ad): @user_script:1: attempt to index a nil value":                                            "ERR",
		"ERR unknown command 'EVAL'": "ERR",
		"LOADING":                    "LOADING",
		"":                           "",
	} {
		if got := bus.CodeOf(text); got != want {
			t.Errorf("%s: got %s, want %s", text, got, want)
		}
	}
}
