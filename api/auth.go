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
		c := &call{app: a.server.App(r.PathValue("appId")), body: buf.b}
		if c.app == nil {
			unknownApp(w, r.PathValue("appId"))
			return
		}
		if refused := a.authenticate(r, c); refused != nil {
			refused.write(w)
			return
		}
		h(w, r, c)
	}
}

// authenticate checks the signature and, only then, what the signed query says about key, time and body. Reverb checks the
// signature alone, so a request that it accepts may lack the others, but none that is there may be wrong.
func (a *api) authenticate(r *http.Request, c *call) *refusal {
	if !a.signatureValid(r, c) {
		return refuse(http.StatusUnauthorized, "Authentication signature invalid.")
	}
	c.query = protocol.ParseQuery(r.URL.RawQuery)
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
func (a *api) signatureValid(r *http.Request, c *call) bool {
	sent := r.URL.EscapedPath()
	single := "/" + strings.TrimLeft(sent, "/")
	stripped := strings.TrimPrefix(single, a.prefix)
	check := func(path string) bool {
		return c.app.AnySecret(func(secret string) bool {
			return protocol.CheckRequest(secret, r.Method, path, r.URL.RawQuery, c.body)
		})
	}
	return check(stripped) || (single != stripped && check(single)) || (sent != single && check(sent))
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

func unknownApp(w http.ResponseWriter, id string) {
	writeText(w, http.StatusNotFound, "No matching application for ID ["+oneLine(id)+"].")
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
