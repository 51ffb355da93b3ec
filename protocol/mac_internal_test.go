package protocol

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"testing"
)

// The sum is that of crypto/hmac for every secret and text.
func FuzzSign(f *testing.F) {
	for _, secret := range []string{"", "secret", string(make([]byte, sha256.BlockSize)), string(make([]byte, sha256.BlockSize+1))} {
		f.Add(secret, "1.2:private-room")
		f.Add(secret, string(make([]byte, signRoom)))
	}
	f.Fuzz(func(t *testing.T, secret, text string) {
		mac := hmac.New(sha256.New, []byte(secret))
		mac.Write([]byte(text))
		want := hex.EncodeToString(mac.Sum(nil))
		var room [signRoom]byte
		got := sign(append(startText(room[:0], secret), text...), secret)
		if string(got[:]) != want {
			t.Errorf("%q signed with %q is %s, want %s", text, secret, got, want)
		}
		if !got.equal(want) || got.equal(want[1:]) || got.equal("0"+want[1:]) && want[0] != '0' {
			t.Error("a sum is not compared whole")
		}
	})
}
