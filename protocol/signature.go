package protocol

import (
	"crypto/md5" // the checksum of the body that the protocol wants, inside what HMAC-SHA256 signs
	"encoding/hex"
)

// The parameters that are not part of the signed text as they stand in the query.
const (
	nameSignature = "auth_signature"
	nameDigest    = "body_md5"
)

// AppendBodyDigest appends the body_md5 of a body: its MD5 in lower-case hex.
func AppendBodyDigest(dst, body []byte) []byte {
	sum := md5.Sum(body)
	return hex.AppendEncode(dst, sum[:])
}

// SignRequest returns the signature of an HTTP API request, as a Pusher server library would put it into auth_signature: lower-case hex
// HMAC-SHA256 over method, path and sorted query, one a line. path and rawQuery are as on the wire.
//
// Reverb: auth_signature and body_md5 of the query are left out, body_md5 is made from the body when there is one; values are decoded.
func SignRequest(secret, method, path, rawQuery string, body []byte) string {
	q := ParseQuery(rawQuery)
	digest := ""
	if len(body) > 0 {
		digest = string(AppendBodyDigest(nil, body))
	}
	sum := q.signature(secret, method, path, digest)
	return string(sum[:])
}

// SignedBy reports whether the query has the signature of the request, over the body whose AppendBodyDigest is digest; "" for a body that is not
// part of what was signed. A query that could be read in two ways has none.
func (q *Query) SignedBy(secret, method, path, digest string) bool {
	given, _ := q.Get(nameSignature)
	if q.ambiguous {
		return false
	}
	sum := q.signature(secret, method, path, digest)
	return sum.equal(given)
}

func (q *Query) signature(secret, method, path, digest string) hexSum {
	var room [signRoom]byte
	text := startText(room[:0], secret)
	text = append(text, method...)
	text = append(text, '\n')
	text = append(text, path...)
	text = append(text, '\n')
	return sign(q.appendSigned(text, digest), secret)
}

// appendSigned appends the third line of the signed text, with digest at its place among the names.
func (q *Query) appendSigned(dst []byte, digest string) []byte {
	start := len(dst)
	for _, v := range q.values {
		if digest != "" && byName(v.name, nameDigest) >= 0 {
			dst, digest = appendSignedValue(dst, start, nameDigest, digest), ""
		}
		if !isUnsigned(v.name) {
			dst = appendSignedValue(dst, start, v.name, v.value)
		}
	}
	if digest != "" {
		dst = appendSignedValue(dst, start, nameDigest, digest)
	}
	return dst
}

func appendSignedValue(dst []byte, start int, name, value string) []byte {
	if len(dst) > start {
		dst = append(dst, '&')
	}
	dst = append(dst, name...)
	dst = append(dst, '=')
	return append(dst, value...)
}

// isUnsigned reports whether Reverb leaves a parameter out of the signed text: the signature, the checksum it makes itself, and three names of
// its own routing.
func isUnsigned(name string) bool {
	switch name {
	case nameSignature, nameDigest, "appId", "appKey", "channelName":
		return true
	}
	return false
}
