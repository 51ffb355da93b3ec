package api

import (
	"crypto/md5"
	"encoding/hex"
	"net/http"
	"strconv"
	"strings"
	"time"

	"reverb/config"
	"reverb/protocol"
)

// call is one request whose application is known and whose signature was right.
type call struct {
	app   *config.App
	query map[string]string
	body  []byte // valid until the handler returns

	// mustNotWait makes a handler that would have to wait write nothing and do nothing.
	mustNotWait bool
}

// request is what the signature covers, the body apart.
type request struct {
	method   string
	path     string // escaped, as sent, with the prefix
	rawQuery string
}

// signed answers for whoever may not call h: size, application, signature, in this order. The body is read before the signature is
// checked because the signature covers it.
func (a *api) signed(h func(http.ResponseWriter, *http.Request, *call)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		buf, refused := a.readBody(r)
		if refused != nil {
			// What is left of the body is not worth reading.
			w.Header().Set("Connection", "close")
			refused.write(w)
			return
		}
		defer buf.release()
		c, refused := a.authorize(r.PathValue("appId"), request{r.Method, r.URL.EscapedPath(), r.URL.RawQuery}, buf.b)
		if refused != nil {
			refused.write(w)
			return
		}
		h(w, r, c)
	}
}

// authorize finds the application and checks the request's signature.
func (a *api) authorize(appID string, r request, body []byte) (*call, *refusal) {
	c := &call{app: a.server.App(appID), body: body}
	if c.app == nil {
		return nil, unknownApp(appID)
	}
	return c, a.authenticate(r, c)
}

// authenticate checks the signature and, only then, what the signed query says about key, time and body. Reverb checks the
// signature alone, so a request that it accepts may lack the others, but none that is there may be wrong.
func (a *api) authenticate(r request, c *call) *refusal {
	if !a.signatureValid(r, c) {
		return refuse(http.StatusUnauthorized, "Authentication signature invalid.")
	}
	c.query = protocol.ParseQuery(r.rawQuery)
	if key, ok := c.query["auth_key"]; ok && !c.app.HasKey(key) {
		return refuse(http.StatusUnauthorized, "Authentication key invalid.")
	}
	if digest, ok := c.query["body_md5"]; ok && !strings.EqualFold(digest, bodyDigest(c.body)) {
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

// signatureValid accepts a signature over the path without the prefix, as Pusher's libraries make it, or with it, or as sent; by any
// of the app's secrets.
func (a *api) signatureValid(r request, c *call) bool {
	single := "/" + strings.TrimLeft(r.path, "/")
	stripped := strings.TrimPrefix(single, a.prefix)
	check := func(path string) bool {
		return c.app.AnySecret(func(secret string) bool {
			return protocol.CheckRequest(secret, r.method, path, r.rawQuery, c.body)
		})
	}
	return check(stripped) || (single != stripped && check(single)) || (r.path != single && check(r.path))
}

// checkTimestamp refuses a request that was recorded and is played again later (Pusher: within 600 s of the server's clock).
func (a *api) checkTimestamp(c *call) *refusal {
	text, ok := c.query["auth_timestamp"]
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

func bodyDigest(body []byte) string {
	sum := md5.Sum(body)
	return hex.EncodeToString(sum[:])
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
