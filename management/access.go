package management

import (
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	"strconv"
	"time"

	"reverb/config"
)

// cookieName names the login. It has no Path, so that browsers keep it to the folder that they see above the request:
// api/, below whatever path a proxy has put in front.
const cookieName = "reverb_dashboard"

// maxLogin bounds the body of a login, bytes.
const maxLogin = 16 << 10

type loginKey struct{}

// Access is the one authentication of the surface: it knows the operators of the control socket, and the browsers that
// have given the password. All methods may be called from any goroutine.
type Access struct {
	// Constant after newAccess.
	gate    *gate
	proxies []netip.Prefix // whose word about the client is taken
	log     *slog.Logger
}

func newAccess(conf *config.Config, log *slog.Logger) *Access {
	return &Access{gate: newGate(&conf.Dashboard), proxies: conf.Server.Proxies(), log: log}
}

// need lets only requests through that have the right.
func (a *Access) need(right Right, next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		switch from := operatorOf(r); {
		case right == Anybody, from != nil && (right == Operator || from.owner):
			next(w, r)
		case right == Operator:
			Fail(w, http.StatusForbidden, "Only through the control socket.")
		default:
			a.loggedIn(w, r, next)
		}
	}
}

// loggedIn lets only browsers through that gave the password, if there is one.
func (a *Access) loggedIn(w http.ResponseWriter, r *http.Request, next http.HandlerFunc) {
	if !a.gate.locked() {
		next(w, r)
		return
	}
	l := a.gate.find(token(r))
	if l == nil {
		Fail(w, http.StatusUnauthorized, "Log in first.")
		return
	}
	ctx, cancel := context.WithDeadline(context.WithValue(r.Context(), loginKey{}, l), l.ends)
	defer cancel()
	next(w, r.WithContext(ctx))
}

// session tells the page whether it has to ask for a password.
func (a *Access) session(w http.ResponseWriter, r *http.Request) {
	Answer(w, map[string]bool{"locked": a.gate.locked(), "open": !a.gate.locked() || a.gate.find(token(r)) != nil})
}

func (a *Access) login(w http.ResponseWriter, r *http.Request) {
	var given struct{ Username, Password string }
	if !a.gate.locked() || !Read(w, r, maxLogin, &given) {
		return
	}
	from := a.sourceOf(r)
	wait, ok := a.gate.attempts.begin(from)
	if !ok {
		seconds := strconv.Itoa(int(wait/time.Second) + 1)
		w.Header().Set("Retry-After", seconds)
		Fail(w, http.StatusTooManyRequests, "Too many attempts. Try again in "+seconds+" s.")
		return
	}
	right := a.gate.check(given.Username, given.Password)
	a.gate.attempts.end(from, right)
	if !right {
		a.log.Warn("login to the dashboard refused", "remote", a.clientOf(r))
		Fail(w, http.StatusUnauthorized, "The name or the password is wrong.")
		return
	}
	a.log.Info("login to the dashboard", "remote", a.clientOf(r))
	a.mark(w, r)
	a.setCookie(w, r, cookieName, a.gate.enter(), int(loginLasts/time.Second))
	Answer(w, map[string]bool{"locked": true, "open": true})
}

func (a *Access) logout(w http.ResponseWriter, r *http.Request) {
	a.gate.leave(token(r))
	a.setCookie(w, r, cookieName, "", -1)
	Answer(w, map[string]bool{"locked": a.gate.locked(), "open": !a.gate.locked()})
}

func (a *Access) setCookie(w http.ResponseWriter, r *http.Request, name, value string, age int) {
	http.SetCookie(w, &http.Cookie{
		Name: name, Value: value, MaxAge: age,
		HttpOnly: true, SameSite: http.SameSiteStrictMode,
		Secure: r.TLS != nil || r.Header.Get("X-Forwarded-Proto") == "https",
	})
}

func token(r *http.Request) string { return cookie(r, cookieName) }

// cookie is the value of a cookie, "" when there is none.
func cookie(r *http.Request, name string) string {
	c, err := r.Cookie(name)
	if err != nil {
		return ""
	}
	return c.Value
}

// UntilLogout is closed when the login of the request ends; nil, which never is, when no password is asked for.
func UntilLogout(r *http.Request) <-chan struct{} {
	if l, ok := r.Context().Value(loginKey{}).(*login); ok {
		return l.ended
	}
	return nil
}
