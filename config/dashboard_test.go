package config_test

import (
	"strings"
	"testing"

	"reverb/config"
)

const hashOfSecret = "$2y$12$R9h/cIPz0gi.URNNX3kh2OPST9/PgBkqquzi.Ss7KIUgO2t0jWMUW"

func TestDashboard(t *testing.T) {
	for name, tt := range map[string]struct{ file, want string }{
		"off":                      {`listen = "0.0.0.0:8081"`, ""},
		"loopback":                 {"enabled = true", "dashboard.insecure_local = true"},
		"loopback by name":         {"enabled = true\nlisten = \"localhost:0\"", "dashboard.insecure_local = true"},
		"loopback 6":               {"enabled = true\nlisten = \"[::1]:0\"", "reverb dashboard-password"},
		"loopback with a password": {"enabled = true\nusername = \"a\"\npassword_hash = \"" + hashOfSecret + "\"", ""},
		"loopback, open":           {"enabled = true\ninsecure_local = true", ""},
		"loopback 6, open":         {"enabled = true\nlisten = \"[::1]:0\"\ninsecure_local = true", ""},
		"open to the network":      {"enabled = true\nlisten = \"0.0.0.0:8081\"\ninsecure_local = true", "want dashboard.username and dashboard.password_hash"},
		"not said to be open":      {"enabled = true\ninsecure_local = false", "dashboard.insecure_local = true"},
		"open":                     {"enabled = true\nlisten = \"0.0.0.0:8081\"", "want dashboard.username and dashboard.password_hash"},
		"open without host":        {"enabled = true\nlisten = \":8081\"", "want dashboard.username and dashboard.password_hash"},
		"open with a password":     {"enabled = true\nlisten = \":8081\"\nusername = \"a\"\npassword_hash = \"" + hashOfSecret + "\"", ""},
		"no port":                  {`listen = "127.0.0.1"`, "want host:port"},
		"port out of range":        {`listen = "127.0.0.1:65536"`, "want host:port"},
		"user without a password":  {`username = "a"`, "want dashboard.password_hash too"},
		"password without a user":  {`password_hash = "` + hashOfSecret + `"`, "want dashboard.username too"},
		"plain password":           {"username = \"a\"\npassword_hash = \"hunter2\"", "want a bcrypt hash"},
		"a cost that takes a week": {"username = \"a\"\npassword_hash = \"" + strings.Replace(hashOfSecret, "$12$", "$30$", 1) + "\"", "want a bcrypt hash"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := config.Load(source(t, oneApp+"\n[dashboard]\n"+tt.file+"\n"))
			switch {
			case tt.want == "" && err != nil:
				t.Errorf("refused: %v", err)
			case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
				t.Errorf("got error %v, want %q", err, tt.want)
			case err != nil && (strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), hashOfSecret)):
				t.Errorf("the error shows the password: %v", err)
			}
		})
	}
}
