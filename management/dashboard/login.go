package dashboard

import (
	"context"
	"net/http"
	"strconv"
	"time"
)

// cookieName names the login. It has no Path, so that browsers keep it to the folder that they see above the request: api/, below
// whatever path a proxy has put in front.
const cookieName = "reverb_dashboard"

type loginKey struct{}

// loggedIn lets only those through who gave the password, if there is one.
func (d *Dashboard) loggedIn(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if !d.gate.locked() {
			next(w, r)
			return
		}
		l := d.gate.find(token(r))
		if l == nil {
			fail(w, http.StatusUnauthorized, "Log in first.")
			return
		}
		ctx, cancel := context.WithDeadline(context.WithValue(r.Context(), loginKey{}, l), l.ends)
		defer cancel()
		next(w, r.WithContext(ctx))
	}
}

// session tells the page whether it has to ask for a password.
func (d *Dashboard) session(w http.ResponseWriter, r *http.Request) {
	answer(w, map[string]bool{"locked": d.gate.locked(), "open": !d.gate.locked() || d.gate.find(token(r)) != nil})
}

func (d *Dashboard) login(w http.ResponseWriter, r *http.Request) {
	var given struct{ Username, Password string }
	if !d.gate.locked() || !d.read(w, r, &given) {
		return
	}
	from := d.sourceOf(r)
	wait, ok := d.gate.attempts.begin(from)
	if !ok {
		seconds := strconv.Itoa(int(wait/time.Second) + 1)
		w.Header().Set("Retry-After", seconds)
		fail(w, http.StatusTooManyRequests, "Too many attempts. Try again in "+seconds+" s.")
		return
	}
	right := d.gate.check(given.Username, given.Password)
	d.gate.attempts.end(from, right)
	if !right {
		d.log.Warn("login to the dashboard refused", "remote", d.clientOf(r))
		fail(w, http.StatusUnauthorized, "The name or the password is wrong.")
		return
	}
	d.log.Info("login to the dashboard", "remote", d.clientOf(r))
	d.mark(w, r)
	d.setCookie(w, r, cookieName, d.gate.enter(), int(loginLasts/time.Second))
	answer(w, map[string]bool{"locked": true, "open": true})
}

func (d *Dashboard) logout(w http.ResponseWriter, r *http.Request) {
	d.gate.leave(token(r))
	d.setCookie(w, r, cookieName, "", -1)
	answer(w, map[string]bool{"locked": d.gate.locked(), "open": !d.gate.locked()})
}

func (d *Dashboard) setCookie(w http.ResponseWriter, r *http.Request, name, value string, age int) {
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

// untilLogout is closed when the login of the request ends; nil, which never is, when no password is asked for.
func untilLogout(r *http.Request) <-chan struct{} {
	if l, ok := r.Context().Value(loginKey{}).(*login); ok {
		return l.ended
	}
	return nil
}
