package envfile_test

import (
	"strings"
	"testing"

	"reverb/laravel/envfile"
)

func TestCompleteKeepsWhatIsThere(t *testing.T) {
	for _, tc := range []struct{ name, before, want string }{
		{"values, comments, the first line", "REVERB_APP_KEY=mine\nAPP_NAME=Lab # REVERB_PORT=1\n#REVERB_HOST=no\nexport REVERB_PORT = 9000",
			"REVERB_APP_KEY=mine\nAPP_NAME=Lab # REVERB_PORT=1\n#REVERB_HOST=no\nexport REVERB_PORT = 9000\n\nREVERB_APP_ID="},
		{"empty values", "REVERB_APP_ID=\n", "REVERB_APP_ID=\n\nREVERB_APP_KEY="},
		{"Windows line ends", "A=1\r\n", "A=1\r\n\r\nREVERB_APP_ID="},
		{"names that only begin alike", "REVERB_APP_ID_OLD=1\n", "REVERB_APP_ID_OLD=1\n\nREVERB_APP_ID="},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, added := envfile.Complete(tc.before, envfile.Variables())
			if !strings.HasPrefix(got, tc.want) {
				t.Errorf("got:\n%q\nwant it to begin with\n%q", got, tc.want)
			}
			if again, more := envfile.Complete(got, envfile.Variables()); again != got || more != nil {
				t.Errorf("a second run adds %q", more)
			}
			if strings.Contains(tc.before, "\r") && strings.Count(got, "\n") != strings.Count(got, "\r\n") {
				t.Errorf("mixed line ends:\n%q", got)
			}
			if len(added) == 0 {
				t.Error("nothing added")
			}
		})
	}
}

func TestBroadcast(t *testing.T) {
	for before, want := range map[string]string{
		"BROADCAST_CONNECTION=log":                         "BROADCAST_CONNECTION=reverb",
		"A=1\r\nBROADCAST_DRIVER=pusher\r\nB=2\r\n":        "A=1\r\nBROADCAST_DRIVER=reverb\r\nB=2\r\n",
		"export BROADCAST_CONNECTION = \"null\" # for now": "export BROADCAST_CONNECTION = reverb # for now",
		"BROADCAST_CONNECTION=":                            "BROADCAST_CONNECTION=reverb",
		"BROADCAST_CONNECTION=reverb":                      "BROADCAST_CONNECTION=reverb",
		"#BROADCAST_CONNECTION=log":                        "#BROADCAST_CONNECTION=log",
		"OLD_BROADCAST_CONNECTION=log":                     "OLD_BROADCAST_CONNECTION=log",
	} {
		if got := envfile.Broadcast(before); got != want {
			t.Errorf("%q: %q, want %q", before, got, want)
		}
	}
}

// With a prefix the browser needs it too, and Laravel's connection with a slash at both ends.
func TestSnippetsKnowThePath(t *testing.T) {
	for env, want := range map[string]string{"": "", "REVERB_SERVER_PATH=": "", "REVERB_SERVER_PATH=/ws": "wsPath: '/ws',", "REVERB_SERVER_PATH=\"a/b/\"": "wsPath: '/a/b',"} {
		if got := envfile.Snippets(env); !strings.Contains(got, want) || want == "" && strings.Contains(got, "wsPath") {
			t.Errorf("%q: no %q in\n%s", env, want, got)
		}
	}
}
