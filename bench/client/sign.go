package client

import (
	"crypto/hmac"
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"strconv"
	"strings"
	"sync"
)

// signer makes the signatures of one app (Pusher: "Generating authentication strings", "HTTP API: Authentication").
type signer struct {
	key, id string
	macs    sync.Pool // of *mac, for what the clients sign
}

type mac struct {
	hash.Hash
	text, sum []byte
}

func newSigner(t Target) *signer {
	return &signer{key: t.Key, id: t.AppID, macs: sync.Pool{New: func() any { return newMAC(t) }}}
}

func newMAC(t Target) *mac { return &mac{Hash: hmac.New(sha256.New, []byte(t.Secret))} }

// needsAuth reports whether subscribing to channel needs a signature.
func needsAuth(channel string) bool {
	return strings.HasPrefix(channel, "private-") || strings.HasPrefix(channel, "presence-")
}

// appendChannelAuth appends KEY:SIGNATURE.
func (s *signer) appendChannelAuth(dst []byte, socketID, channel, channelData string) []byte {
	m := s.macs.Get().(*mac)
	defer s.macs.Put(m)
	m.text = append(append(append(m.text[:0], socketID...), ':'), channel...)
	if channelData != "" {
		m.text = append(append(m.text, ':'), channelData...)
	}
	dst = append(append(dst, s.key...), ':')
	return m.appendHex(dst)
}

// appendPath appends /apps/ID plus path with a query signed by m, which no other goroutine uses. query is what the call itself asks, sorted and escaped, without
// names that begin with auth_ or body_.
func (s *signer) appendPath(m *mac, dst []byte, method, path, query string, body []byte, unix int64) []byte {
	begin := len(dst)
	dst = append(append(append(dst, "/apps/"...), s.id...), path...)
	m.text = append(append(m.text[:0], method...), '\n')
	m.text = append(append(m.text, dst[begin:]...), '\n')
	dst = append(dst, '?')
	question := len(dst)
	dst = append(append(dst, "auth_key="...), s.key...)
	dst = strconv.AppendInt(append(dst, "&auth_timestamp="...), unix, 10)
	dst = append(dst, "&auth_version=1.0"...)
	if len(body) > 0 {
		sum := md5.Sum(body)
		dst = hex.AppendEncode(append(dst, "&body_md5="...), sum[:])
	}
	if query != "" {
		dst = append(append(dst, '&'), query...)
	}
	m.text = append(m.text, dst[question:]...)
	return m.appendHex(append(dst, "&auth_signature="...))
}

// appendHex appends the signature of m.text.
func (m *mac) appendHex(dst []byte) []byte {
	m.Reset()
	m.Write(m.text)
	m.sum = m.Sum(m.sum[:0])
	return hex.AppendEncode(dst, m.sum)
}
