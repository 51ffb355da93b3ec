package management_test

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"

	"golang.org/x/crypto/bcrypt"

	"reverb/config"
	"reverb/management"
)

// Over the network nobody gives orders to the whole server, with a password or on a page without one.
func TestOrdersComeThroughTheSocketOnly(t *testing.T) {
	hash, err := bcrypt.GenerateFromPassword([]byte("correct horse"), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*config.Dashboard){
		"locked": func(d *config.Dashboard) { d.Username, d.PasswordHash = "ops", string(hash) },
		"open":   func(d *config.Dashboard) { d.InsecureLocal = true },
	} {
		t.Run(name, func(t *testing.T) {
			conf, log := config.Default(), slog.New(slog.DiscardHandler)
			change(&conf.Dashboard)
			surface := management.NewSurface(conf, log)
			orders := management.NewOrders("a:1", func(string) (netip.AddrPort, bool) { return netip.AddrPort{}, true }, log)
			orders.Register(surface)
			for _, path := range []string{"/api/restart", "/api/reload", "/api/handover?timeout=5", "/api/clients/1.2"} {
				method := http.MethodPost
				if path == "/api/clients/1.2" {
					method = http.MethodGet
				}
				r := httptest.NewRequest(method, "http://localhost:8081"+path, http.NoBody)
				r.RemoteAddr = "127.0.0.1:5000"
				r.Header.Set("X-Reverb-Dashboard", "1")
				r.Header.Set("Sec-Fetch-Site", "same-origin")
				w := httptest.NewRecorder()
				surface.Handler().ServeHTTP(w, r)
				if w.Code != http.StatusForbidden {
					t.Errorf("%s %s: status %d, want 403", method, path, w.Code)
				}
			}
			select {
			case <-orders.Restart():
				t.Error("the server stops")
			default:
			}
		})
	}
}
