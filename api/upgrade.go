package api

import (
	"bytes"
	"encoding/base64"
	"net/http"
	"strings"
)

// upgradeLate answers GET /app/{key}. A well-formed upgrade comes here only over a connection that has carried other requests, as
// proxies have them: it is given back to where the WebSockets are. For any other it says what is wrong, in the order of RFC 6455 section
// 4.2.1 as Reverb checks it, and closes the connection.
func (a *API) upgradeLate(w http.ResponseWriter, r *http.Request) {
	refused := upgradeFault(r)
	if refused == nil && giveBack(w, r) {
		return
	}
	if refused == nil {
		refused = refuse(http.StatusBadRequest, "Bad request.")
	}
	h := w.Header()
	h["Connection"] = []string{"close"}
	h["X-Powered-By"] = []string{"Laravel Reverb"}
	if refused.status == http.StatusUpgradeRequired {
		// RFC 9110 section 15.5.22: 426 names the protocol, and section 7.8: Upgrade is named in Connection. "close" comes first
		// because net/http looks at the first value.
		h["Connection"] = []string{"close", "Upgrade"}
		h["Upgrade"] = []string{"websocket"}
		h["Sec-WebSocket-Version"] = []string{"13"}
	}
	refused.write(w)
}

// reclaimer is a connection that its owner can take back from net/http.
type reclaimer interface {
	Reclaim(head []byte) bool
}

// giveBack reports whether the request needs no answer any more: its connection was given back, with the head written anew, or is lost.
func giveBack(w http.ResponseWriter, r *http.Request) bool {
	nc, rw, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return false // not over a connection, in a test
	}
	var head bytes.Buffer
	head.WriteString("GET " + r.RequestURI + " HTTP/1.1\r\nHost: " + r.Host + "\r\n")
	_ = r.Header.Write(&head)
	head.WriteString("\r\n")
	behind, _ := rw.Reader.Peek(rw.Reader.Buffered())
	head.Write(behind)
	if own, ok := nc.(reclaimer); !ok || !own.Reclaim(head.Bytes()) {
		_, _ = nc.Write(badRequest)
		_ = nc.Close()
	}
	return true
}

// upgradeFault is nil for a well-formed upgrade.
func upgradeFault(r *http.Request) *refusal {
	upgrade := r.Header.Values("Upgrade")
	keys := r.Header.Values("Sec-Websocket-Key")
	versions := r.Header.Values("Sec-Websocket-Version")
	switch {
	case len(upgrade) == 0:
		return refuse(http.StatusUpgradeRequired, "Upgrade header MUST be provided")
	case !r.ProtoAtLeast(1, 1):
		return refuse(http.StatusHTTPVersionNotSupported, "HTTP version MUST be 1.1 or later")
	case len(upgrade) != 1 || !strings.EqualFold(strings.TrimSpace(upgrade[0]), "websocket"):
		return refuse(http.StatusUpgradeRequired, "Upgrade header MUST be provided")
	case !hasToken(r.Header.Values("Connection"), "upgrade"):
		return refuse(http.StatusBadRequest, "Connection Upgrade MUST be requested")
	case len(keys) != 1 || !validKey(keys[0]):
		return refuse(http.StatusBadRequest, "Invalid Sec-WebSocket-Key")
	case len(versions) != 1 || strings.TrimSpace(versions[0]) != "13":
		return refuse(http.StatusUpgradeRequired, "Sec-WebSocket-Version MUST be 13")
	case r.ContentLength != 0:
		return refuse(http.StatusBadRequest, "Bad request.")
	default:
		return nil
	}
}

// validKey: the key is the base64 of 16 bytes.
func validKey(key string) bool {
	b, err := base64.StdEncoding.DecodeString(strings.TrimSpace(key))
	return err == nil && len(b) == 16
}

// hasToken looks for a token in the comma lists of a header's values; token is in lower case.
func hasToken(values []string, token string) bool {
	for _, list := range values {
		for t := range strings.SplitSeq(list, ",") {
			if strings.EqualFold(strings.TrimSpace(t), token) {
				return true
			}
		}
	}
	return false
}
