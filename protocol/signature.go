package protocol

import (
	"crypto/md5" // the checksum of the body that the protocol wants, inside what HMAC-SHA256 signs
	"crypto/subtle"
	"encoding/hex"
	"slices"
)

// SignRequest returns the signature of an HTTP API request, as a Pusher server library would put it
// into auth_signature: lower-case hex HMAC-SHA256 over method, path and sorted query, one a line.
//
// path and rawQuery are as on the wire. Reverb: auth_signature and body_md5 of the query are left
// out and body_md5 is made from the body when there is one; values are decoded.
func SignRequest(secret, method, path, rawQuery string, body []byte) string {
	signature, _ := signRequest(secret, method, path, rawQuery, body)
	return string(signature)
}

// CheckRequest reports whether the auth_signature in the query is that of the request; see
// SignRequest.
func CheckRequest(secret, method, path, rawQuery string, body []byte) bool {
	want, given := signRequest(secret, method, path, rawQuery, body)
	return subtle.ConstantTimeCompare([]byte(given), want) == 1
}

// signRequest returns the signature that the request should have and the one it has, "" for none.
func signRequest(secret, method, path, rawQuery string, body []byte) (want []byte, given string) {
	var room [12]param // what the libraries send fits, so that nothing is allocated
	params := appendParams(room[:0], rawQuery)
	params = slices.DeleteFunc(params, func(p param) bool {
		if p.name == "auth_signature" {
			given = p.value
		}
		return isUnsigned(p.name)
	})
	if len(body) > 0 {
		sum := md5.Sum(body)
		params = append(params, param{name: "body_md5", value: hex.EncodeToString(sum[:])})
	}
	slices.SortStableFunc(params, byName)

	text := make([]byte, 0, len(method)+len(path)+len(rawQuery)+signRoom)
	text = append(text, method...)
	text = append(text, '\n')
	text = append(text, path...)
	text = append(text, '\n')
	for first := true; len(params) > 0; first = false {
		if !first {
			text = append(text, '&')
		}
		n := sameName(params)
		text = append(text, params[0].name...)
		text = append(text, '=')
		text = append(text, joined(params[:n])...)
		params = params[n:]
	}
	return sign(secret, text), given
}

// isUnsigned reports whether Reverb leaves a parameter out of the signed text: the signature, the
// checksum it makes itself, and three names of its own routing.
func isUnsigned(name string) bool {
	switch name {
	case "auth_signature", "body_md5", "appId", "appKey", "channelName":
		return true
	}
	return false
}
