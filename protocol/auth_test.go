package protocol_test

import (
	"strings"
	"testing"

	"reverb/protocol"
)

// The app of Pusher's documentation.
const (
	appKey    = "278d425bdf160c739803"
	appSecret = "7ad3773142a6692b25b8"
)

func TestChannelAuth(t *testing.T) {
	tests := []struct{ name, channel, channelData, signature string }{
		{"private", "private-foobar", "", "58df8b0c36d6982b82c3ecf6b4662e34fe8c25bba48f5369f135bf843651c3a4"},
		{"presence, integer id", "presence-foobar", `{"user_id":10,"user_info":{"name":"Mr. Channels"}}`,
			"31935e7d86dba64c2a90aed31fdc61869f9b22ba9d8863bba239c03ca481bc80"},
		{"presence, string id", "presence-foobar", `{"user_id":"10","user_info":{"name":"Mr. Channels"}}`,
			"4c6d8fc42a207ba96a0779844171b0bb819d96ffceef9609f5cce596ab17a800"},
		// Pusher prints this signature next to "Mr. Channels", by mistake.
		{"presence, as printed", "presence-foobar", `{"user_id":10,"user_info":{"name":"Mr. Pusher"}}`,
			"afaed3695da2ffd16931f457e338e6c9f2921fa133ce7dac49f529792be6304c"},
		{"zero is not signed", "private-foobar", "0", "58df8b0c36d6982b82c3ecf6b4662e34fe8c25bba48f5369f135bf843651c3a4"},
	}
	id := mustID(t, "1234.1234")
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := protocol.ChannelSignature(appSecret, id, tt.channel, tt.channelData); got != tt.signature {
				t.Fatalf("ChannelSignature = %s, want %s", got, tt.signature)
			}
			for auth, want := range map[string]struct{ lenient, strict bool }{
				appKey + ":" + tt.signature:                  {true, true},
				"other:" + tt.signature:                      {true, false},
				":" + tt.signature:                           {true, false},
				tt.signature:                                 {true, false},
				appKey + ":" + strings.ToUpper(tt.signature): {},
				appKey + ":" + tt.signature + "0":            {},
				appKey + ":" + tt.signature[1:]:              {},
				appKey + "::" + tt.signature:                 {},
				appKey + ":":                                 {},
				appKey:                                       {},
				"":                                           {},
			} {
				if got := protocol.CheckChannelAuth(appSecret, auth, id, tt.channel, tt.channelData); got != want.lenient {
					t.Errorf("CheckChannelAuth(%q) = %v", auth, got)
				}
				if got := protocol.CheckChannelAuthStrict(appKey, appSecret, auth, id, tt.channel, tt.channelData); got != want.strict {
					t.Errorf("CheckChannelAuthStrict(%q) = %v", auth, got)
				}
			}
			auth := appKey + ":" + tt.signature
			if protocol.CheckChannelAuth(appSecret, auth, mustID(t, "1234.1235"), tt.channel, tt.channelData) ||
				protocol.CheckChannelAuth(appSecret, auth, id, tt.channel+"x", tt.channelData) ||
				protocol.CheckChannelAuth(appSecret, auth, id, tt.channel, tt.channelData+" ") ||
				protocol.CheckChannelAuth(appSecret+"x", auth, id, tt.channel, tt.channelData) {
				t.Error("signature of something else accepted")
			}
		})
	}
}

func TestUserAuth(t *testing.T) {
	const userData = `{"id":"12345"}`
	const want = "4708d583dada6a56435fb8bc611c77c359a31eebde13337c16ab43aa6de336ba"
	id := mustID(t, "1234.1234")
	if got := protocol.UserSignature(appSecret, id, userData); got != want {
		t.Errorf("UserSignature = %s, want %s", got, want)
	}
	if !protocol.CheckUserAuth(appKey, appSecret, appKey+":"+want, id, userData) {
		t.Error("right signature refused")
	}
	for _, auth := range []string{"", want, "other:" + want, appKey + ":" + want[1:], appKey + "::user::" + want} {
		if protocol.CheckUserAuth(appKey, appSecret, auth, id, userData) {
			t.Errorf("CheckUserAuth(%q) accepted", auth)
		}
	}
}

func BenchmarkCheckChannelAuth(b *testing.B) {
	id := mustID(b, "905761171.52956978")
	auth := appKey + ":" + protocol.ChannelSignature(appSecret, id, "private-room.1", "")
	b.ReportAllocs()
	for b.Loop() {
		if !protocol.CheckChannelAuth(appSecret, auth, id, "private-room.1", "") {
			b.Fatal("refused")
		}
	}
}
