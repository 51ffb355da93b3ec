package protocol

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"strings"
)

// ChannelSignature returns the lower-case hex signature that lets socket id subscribe to channel
// with channelData, "" for none. Reverb: a channelData of "0" is not signed, as PHP takes it for none.
func ChannelSignature(secret string, id SocketID, channel, channelData string) string {
	text := make([]byte, 0, signRoom+len(channel)+len(channelData))
	text = id.AppendTo(text)
	text = append(text, ':')
	text = append(text, channel...)
	if channelData != "" && channelData != "0" {
		text = append(text, ':')
		text = append(text, channelData...)
	}
	return string(sign(secret, text))
}

// CheckChannelAuth reports whether auth, "key:signature", permits the subscription. Reverb: the key
// is not looked at and may be missing with its colon.
func CheckChannelAuth(secret, auth string, id SocketID, channel, channelData string) bool {
	given := auth
	if _, after, ok := strings.Cut(auth, ":"); ok {
		given = after
	}
	return equal(given, ChannelSignature(secret, id, channel, channelData))
}

// CheckChannelAuthStrict is CheckChannelAuth with Pusher's rule that auth begins with the key of
// the app.
func CheckChannelAuthStrict(key, secret, auth string, id SocketID, channel, channelData string) bool {
	given, signature, ok := strings.Cut(auth, ":")
	return ok && equal(given, key) && equal(signature, ChannelSignature(secret, id, channel, channelData))
}

// UserSignature returns the lower-case hex signature that lets socket id sign in as the user that
// userData, JSON as sent, tells of. Pusher: user authentication.
func UserSignature(secret string, id SocketID, userData string) string {
	text := make([]byte, 0, signRoom+len(userData))
	text = id.AppendTo(text)
	text = append(text, "::user::"...)
	text = append(text, userData...)
	return string(sign(secret, text))
}

// CheckUserAuth reports whether auth, "key:signature", permits socket id to sign in with userData.
func CheckUserAuth(key, secret, auth string, id SocketID, userData string) bool {
	given, signature, ok := strings.Cut(auth, ":")
	return ok && equal(given, key) && equal(signature, UserSignature(secret, id, userData))
}

// signRoom is the capacity of a signed text beside its variable parts: its fixed ones, and enough that
// sign finds room for a sum, in binary and in hex.
const signRoom = 96

// sign returns the lower-case hex HMAC-SHA256 of text, and uses the memory of text for it.
func sign(secret string, text []byte) []byte {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(text)
	text = mac.Sum(text[:0])
	return hex.AppendEncode(text, text)[len(text):]
}

// equal compares in a time that tells nothing of where a and b differ.
func equal(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }
