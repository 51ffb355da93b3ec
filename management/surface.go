package management

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"

	"reverb/config"
)

// Right is what a request needs to be answered.
type Right int

// The rights.
const (
	Anybody  Right = iota // the page itself and the login
	Viewer                // a browser that gave the password, or the server's own user on the control socket
	Operator              // a caller on the control socket
)

// Surface is the mux that the live page and the control socket share. Handle is called before Handler is used; the rest
// may be called from any goroutine.
type Surface struct {
	access *Access
	mux    *http.ServeMux
}

// NewSurface is a surface with the login and nothing else.
func NewSurface(conf *config.Config, log *slog.Logger) *Surface {
	s := &Surface{access: newAccess(conf, log), mux: http.NewServeMux()}
	s.Handle("GET /api/session", Anybody, s.access.session)
	s.Handle("POST /api/login", Anybody, s.access.login)
	s.Handle("POST /api/logout", Anybody, s.access.logout)
	return s
}

// Handle answers the requests of a pattern by h, if they have the right.
func (s *Surface) Handle(pattern string, right Right, h http.HandlerFunc) {
	s.mux.HandleFunc(pattern, s.access.need(right, h))
}

// Handler answers all requests.
func (s *Surface) Handler() http.Handler { return secured(s.access.sameSite(s.mux)) }

// operator is the caller behind a request that came through the control socket.
type operator struct {
	owner bool // the server's own user, or root
}

type operatorKey struct{}

func withOperator(ctx context.Context, o *operator) context.Context {
	return context.WithValue(ctx, operatorKey{}, o)
}

// operatorOf is nil for a request that came over the network.
func operatorOf(r *http.Request) *operator {
	o, _ := r.Context().Value(operatorKey{}).(*operator)
	return o
}

// Answer writes v as JSON.
func Answer(w http.ResponseWriter, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		Fail(w, http.StatusInternalServerError, "The answer could not be written.")
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(body) // the browser may have gone
}

// Fail writes an error that the page shows.
func Fail(w http.ResponseWriter, status int, text string) {
	body, _ := json.Marshal(map[string]string{"error": text}) // a string is always JSON
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

// Read takes the JSON body of a request, of at most so many bytes; false: it was answered with an error.
func Read(w http.ResponseWriter, r *http.Request, most int64, v any) bool {
	decoder := json.NewDecoder(http.MaxBytesReader(w, r.Body, most))
	if err := decoder.Decode(v); err != nil {
		Fail(w, http.StatusBadRequest, "The request cannot be read, or is too long.")
		return false
	}
	return true
}
