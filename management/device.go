package management

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// A browser that has logged in once keeps a mark. It opens nothing; it only tells the browser's own attempts from those
// of strangers at the same address, so that strangers who guess there cannot keep its owner out.
const (
	deviceCookie = "reverb_dashboard_browser"
	deviceLasts  = 180 * 24 * time.Hour
)

// newDevice makes a mark: a random id, the time until which it holds, and a seal over both. It outlives a restart and
// ends with the password.
func (g *gate) newDevice() string {
	text := rand.Text() + "." + strconv.FormatInt(time.Now().Add(deviceLasts).Unix(), 36)
	return text + "." + g.seal(text)
}

// device returns the id of a mark, or "" when it is not one of ours or has ended.
func (g *gate) device(mark string) string {
	last := strings.LastIndexByte(mark, '.')
	if last < 0 || !hmac.Equal([]byte(mark[last+1:]), []byte(g.seal(mark[:last]))) {
		return ""
	}
	id, until, _ := strings.Cut(mark[:last], ".")
	ends, err := strconv.ParseInt(until, 36, 64)
	if err != nil || time.Now().Unix() >= ends {
		return ""
	}
	return id
}

func (g *gate) seal(text string) string {
	key := sha256.Sum256(append([]byte("reverb dashboard browser\x00"), g.hash...))
	mac := hmac.New(sha256.New, key[:])
	mac.Write([]byte(text))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// mark gives the browser a mark, unless it has one.
func (a *Access) mark(w http.ResponseWriter, r *http.Request) {
	if a.gate.device(cookie(r, deviceCookie)) == "" {
		a.setCookie(w, r, deviceCookie, a.gate.newDevice(), int(deviceLasts/time.Second))
	}
}
