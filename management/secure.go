package management

import (
	"net"
	"net/http"
	"net/netip"
	"time"
)

// answerWrite bounds the time that a browser may take to read an answer.
const answerWrite = 30 * time.Second

// scriptHeader is set by the page's own script. A form, or a script of another site, cannot set it without a permission
// that is never given.
const scriptHeader = "X-Reverb-Dashboard"

// policy lets the page load and do nothing but what comes from where it came from itself.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; manifest-src 'none'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"

// secured puts the headers on every answer.
func secured(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		// Of the whole answer; a stream sets its own for each write. Not every ResponseWriter can.
		_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(answerWrite))
		next.ServeHTTP(w, r)
	})
}

// sameSite refuses what another site has a browser ask for. Browsers say where a request comes from (Fetch Metadata,
// and Origin for those that change something); whatever changes something also has to carry the script's header.
func (a *Access) sameSite(next http.Handler) http.Handler {
	guard := http.NewCrossOriginProtection()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case operatorOf(r) != nil:
			next.ServeHTTP(w, r) // no browser
		case !a.gate.locked() && !isLocal(r):
			Fail(w, http.StatusForbidden, "This page has no password, so only browsers on the server itself may open it, and not through a proxy.")
		case r.Method == http.MethodGet || r.Method == http.MethodHead:
			if site := r.Header.Get("Sec-Fetch-Site"); site == "cross-site" && r.Header.Get("Sec-Fetch-Mode") != "navigate" {
				Fail(w, http.StatusForbidden, "Another site asked for this.")
				return
			}
			next.ServeHTTP(w, r)
		case guard.Check(r) != nil || r.Header.Get(scriptHeader) == "":
			Fail(w, http.StatusForbidden, "Another site asked for this, or a proxy changed the Host header.")
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// isLocal reports whether a request came from this machine, for this machine, directly. A name that another site has
// pointed at the loopback address is not this machine's (DNS rebinding).
func isLocal(r *http.Request) bool {
	for _, name := range []string{"Forwarded", "X-Forwarded-For", "X-Real-Ip", "Via"} {
		if r.Header.Get(name) != "" {
			return false
		}
	}
	// Nginx tells nothing of itself unless it is configured to; but it sends HTTP/1.0 or closes, and no browser does.
	if r.Close || !r.ProtoAtLeast(1, 1) {
		return false
	}
	host := r.Host
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	return (host == "localhost" || isLoopback(host)) && isLoopback(addressOf(r).String())
}

func isLoopback(host string) bool {
	if n := len(host); n > 2 && host[0] == '[' && host[n-1] == ']' {
		host = host[1 : n-1]
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback()
}

// addressOf is the address of the peer; the zero address when it is not known.
func addressOf(r *http.Request) netip.Addr {
	at, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	return at.Addr().Unmap()
}
