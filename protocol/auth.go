package protocol

import (
	"crypto/subtle"
	"strings"
)

// ChannelSignature returns the lower-case hex signature that lets socket id subscribe to channel
// with channelData, "" for none. Reverb: a channelData of "0" is not signed, as PHP takes it for none.
func ChannelSignature(secret string, id SocketID, channel, channelData string) string {
	sum := channelSum(secret, id, channel, channelData)
	return string(sum[:])
}

func channelSum(secret string, id SocketID, channel, channelData string) hexSum {
	var room [signRoom]byte
	text := id.AppendTo(startText(room[:0], secret))
	text = append(text, ':')
	text = append(text, channel...)
	if channelData != "" && channelData != "0" {
		text = append(text, ':')
		text = append(text, channelData...)
	}
	return sign(text, secret)
}

// CheckChannelAuth reports whether auth, "key:signature", permits the subscription. Reverb: the key
// is not looked at and may be missing with its colon.
func CheckChannelAuth(secret, auth string, id SocketID, channel, channelData string) bool {
	given := auth
	if _, after, ok := strings.Cut(auth, ":"); ok {
		given = after
	}
	sum := channelSum(secret, id, channel, channelData)
	return sum.equal(given)
}

// CheckChannelAuthStrict is CheckChannelAuth with Pusher's rule that auth begins with the key of
// the app.
func CheckChannelAuthStrict(key, secret, auth string, id SocketID, channel, channelData string) bool {
	given, signature, ok := strings.Cut(auth, ":")
	sum := channelSum(secret, id, channel, channelData)
	return ok && equal(given, key) && sum.equal(signature)
}

// UserSignature returns the lower-case hex signature that lets socket id sign in as the user that
// userData, JSON as sent, tells of. Pusher: user authentication.
func UserSignature(secret string, id SocketID, userData string) string {
	sum := userSum(secret, id, userData)
	return string(sum[:])
}

func userSum(secret string, id SocketID, userData string) hexSum {
	var room [signRoom]byte
	text := id.AppendTo(startText(room[:0], secret))
	text = append(text, "::user::"...)
	text = append(text, userData...)
	return sign(text, secret)
}

// CheckUserAuth reports whether auth, "key:signature", permits socket id to sign in with userData.
func CheckUserAuth(key, secret, auth string, id SocketID, userData string) bool {
	given, signature, ok := strings.Cut(auth, ":")
	sum := userSum(secret, id, userData)
	return ok && equal(given, key) && sum.equal(signature)
}

// equal compares in a time that tells nothing of where a and b differ.
func equal(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }
