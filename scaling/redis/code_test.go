package redis_test

import (
	"testing"

	"reverb/scaling/redis"
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
		// Redis 7 tells that a script wanted what its user may not do without a code.
		"The user executing the script can't run this command or subcommand script: 4b48cc, on @user_script:39.":                          "NOPERM",
		"The user executing the script can't access at least one of the keys mentioned in the command arguments script: 4b, on @u:3.":     "NOPERM",
		"ERR Error running script (call to f_2d0ad): @user_script:1: -The user executing the script can't run this command or subcommand": "NOPERM",
		"Wrong type of something": "ERR",
		"LOADING":                 "LOADING",
		"":                        "",
	} {
		if got := redis.Code(text); got != want {
			t.Errorf("%s: got %s, want %s", text, got, want)
		}
	}
}
