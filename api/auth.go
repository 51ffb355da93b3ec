package api

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode"

	"reverb/protocol"
)

// request is what the signature covers, the body apart.
type request struct {
	method   string
	path     string // as sent, with the prefix
	rawQuery string
}

// signed answers a caller that may not call h: size, application, signature, in this order. The body is read before the signature is
// checked because the signature covers it.
func (a *API) signed(h func(http.ResponseWriter, *http.Request, *call)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		id := r.PathValue("appId")
		c, _ := calls.Get().(*call)
		defer c.release()
		if refused := a.readBody(c, r, a.bodyLimit(a.server.App(id))); refused != nil {
			// The rest of the body is not worth reading.
			w.Header().Set("Connection", "close")
			refused.write(w)
			return
		}
		if refused := a.authorize(c, id, request{r.Method, sentPath(r), r.URL.RawQuery}); refused != nil {
			refused.write(w)
			return
		}
		h(w, r, c)
	}
}

// authorize finds the application of a call whose body is set, and checks the request's signature.
func (a *API) authorize(c *call, appID string, r request) *refusal {
	if c.app = a.server.App(appID); c.app == nil {
		return unknownApp(appID)
	}
	return a.authenticate(r, c)
}

// authenticate checks the signature and, only then, what the signed query says about key, version, time and body. Reverb checks the
// signature alone, so a request that it accepts may lack the others, but none that is there may be wrong.
func (a *API) authenticate(r request, c *call) *refusal {
	c.query.Read(r.rawQuery)
	digest := view(protocol.AppendBodyDigest(c.digest[:0], c.body))
	if !a.signatureValid(r, c, digest) {
		return refuse(http.StatusUnauthorized, "Authentication signature invalid.")
	}
	key, ok := c.query.Get("auth_key")
	switch {
	case !ok && c.app.Rules.RequireAuthKey:
		return refuse(http.StatusUnauthorized, "Authentication key missing.")
	case ok && !c.app.HasKey(key):
		return refuse(http.StatusUnauthorized, "Authentication key invalid.")
	}
	version, ok := c.query.Get("auth_version")
	switch {
	case !ok && c.app.Rules.RequireAuthKey:
		return refuse(http.StatusUnauthorized, "Authentication version missing.")
	case ok && version != authVersion:
		return refuse(http.StatusUnauthorized, "Authentication version invalid.")
	}
	if given, ok := c.query.Get("body_md5"); ok && !strings.EqualFold(given, digest) {
		return refuse(http.StatusUnauthorized, "Authentication body_md5 invalid.")
	}
	if refused := a.checkTimestamp(c); refused != nil {
		return refused
	}
	if !c.app.Enabled {
		return refuse(http.StatusForbidden, "The application is disabled.")
	}
	return nil
}

// authVersion is the only version of the signature there is.
const authVersion = "1.0"

// signatureValid accepts a signature by any of the app's secrets over any of the request's paths. The digest of an empty body may be part of
// what was signed: Pusher's Python library sends it with each GET.
func (a *API) signatureValid(r request, c *call, digest string) bool {
	var room [2]string
	digests := append(room[:0], digest)
	if len(c.body) == 0 {
		digests[0] = ""
		if _, ok := c.query.Get("body_md5"); ok {
			digests = append(digests, digest)
		}
	}
	for _, path := range a.signedPaths(r.path) {
		for _, digest := range digests {
			if path != "" && c.app.AnySecret(func(secret string) bool { return c.query.SignedBy(secret, r.method, path, digest) }) {
				return true
			}
		}
	}
	return false
}

// signedPaths are the forms of a path that a signature may cover, "" where two are the same: without the prefix, as Pusher's libraries make
// it, and with it; as sent and decoded, for those libraries sign a user id as it is, and their HTTP clients send it escaped.
func (a *API) signedPaths(sent string) [4]string {
	paths := [4]string{strings.TrimPrefix(sent, a.prefix), sent}
	if decoded, ok := decodedPath(sent); ok {
		paths[2], paths[3] = strings.TrimPrefix(decoded, a.prefix), decoded
	}
	if a.prefix == "" {
		paths[1], paths[3] = "", ""
	}
	return paths
}

// decodedPath is a path without its escapes, if it is none that could be sent for something else: not one that still has an escape in it, and
// not one with a line end, which separates path and query in the text that is signed.
func decodedPath(sent string) (string, bool) {
	if strings.IndexByte(sent, '%') < 0 {
		return "", false
	}
	decoded, err := url.PathUnescape(sent)
	if err != nil || strings.ContainsFunc(decoded, unicode.IsControl) {
		return "", false
	}
	again, err := url.PathUnescape(decoded)
	return decoded, err != nil || again == decoded
}

// checkTimestamp refuses a request that was recorded and is played again later (Pusher: within 600 s of the server's clock).
func (a *API) checkTimestamp(c *call) *refusal {
	text, ok := c.query.Get("auth_timestamp")
	if !ok {
		if c.app.Rules.RequireTimestamp {
			return refuse(http.StatusUnauthorized, "Authentication timestamp missing.")
		}
		return nil
	}
	tolerance := a.cfg.AuthTimestampTolerance
	if tolerance <= 0 {
		return nil
	}
	seconds, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return refuse(http.StatusUnauthorized, "Authentication timestamp invalid.")
	}
	// Compared in seconds: the difference of far-away times does not fit a Duration.
	now, allowed := time.Now().Unix(), int64(tolerance/time.Second)
	if seconds < now-allowed || seconds > now+allowed {
		return refuse(http.StatusUnauthorized, "Authentication timestamp expired.")
	}
	return nil
}

func unknownApp(id string) *refusal {
	return refuse(http.StatusNotFound, "No matching application for ID ["+oneLine(id)+"].")
}

// oneLine is text that a caller chose, fit for a line of an answer.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7F {
			return ' '
		}
		return r
	}, s)
}
