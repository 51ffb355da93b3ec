package poller

import (
	"bytes"
	"encoding/base64"
)

// upgradeHead is what we read in a request's head (RFC 6455 4.2.1). Its slices point into the head.
type upgradeHead struct {
	target, host, origin, key []byte

	hosts, origins, upgrades, keys, versions int // how often the header came
	upgrade, connection, version             bool
}

// path returns the target up to the query.
func (u *upgradeHead) path() []byte {
	path, _, _ := bytes.Cut(u.target, []byte("?"))
	return path
}

// parseUpgrade reads head, including its empty line. ok means a well-formed WebSocket upgrade; without it only
// the target is valid, and only if there was one.
func parseUpgrade(head []byte) (u upgradeHead, ok bool) {
	line, head, ok := cutLine(head)
	method, rest, _ := bytes.Cut(line, []byte(" "))
	target, proto, _ := bytes.Cut(rest, []byte(" "))
	u.target = originForm(target)
	if !ok || string(method) != "GET" || string(proto) != "HTTP/1.1" || !printable(u.target) {
		return u, false
	}
	for {
		if line, head, ok = cutLine(head); !ok {
			return u, false
		}
		if len(line) == 0 {
			return u, u.complete()
		}
		if !u.header(line) {
			return u, false
		}
	}
}

// header reads one line and reports whether the request can still be an upgrade.
func (u *upgradeHead) header(line []byte) bool {
	name, value, ok := bytes.Cut(line, []byte(":"))
	if !ok || !token(name) || bytes.ContainsAny(value, "\x00\r\n") {
		return false
	}
	value = bytes.Trim(value, " \t")
	switch {
	case is(name, "Host"):
		u.hosts++
		u.host = value
	case is(name, "Origin"):
		u.origins++
		u.origin = value
	case is(name, "Upgrade"):
		u.upgrades++
		u.upgrade = is(value, "websocket")
	case is(name, "Connection"):
		u.connection = u.connection || hasToken(value, "upgrade")
	case is(name, "Sec-WebSocket-Key"):
		u.keys++
		u.key = value
	case is(name, "Sec-WebSocket-Version"):
		u.versions++
		u.version = string(value) == "13"
	case is(name, "Sec-WebSocket-Extensions"):
		return validOffers(value)
	case is(name, "Transfer-Encoding"):
		return false // a body would be taken for frames
	case is(name, "Content-Length"):
		return string(value) == "0"
	}
	return true
}

func (u *upgradeHead) complete() bool {
	return u.hosts == 1 && u.origins <= 1 && u.upgrades == 1 && u.keys == 1 && u.versions == 1 &&
		u.upgrade && u.connection && u.version && nonce(u.key)
}

// originForm takes scheme and host off an absolute-form target, which every server must accept (RFC 9112 3.2.2).
func originForm(target []byte) []byte {
	if bytes.HasPrefix(target, []byte("/")) {
		return target
	}
	if _, rest, ok := bytes.Cut(target, []byte("://")); ok {
		if i := bytes.IndexAny(rest, "/?"); i >= 0 && rest[i] == '/' {
			return rest[i:]
		}
	}
	return target
}

// nonce reports whether key is the base64 of 16 bytes.
func nonce(key []byte) bool {
	var b [18]byte
	if len(key) != base64.StdEncoding.EncodedLen(16) {
		return false
	}
	n, err := base64.StdEncoding.Decode(b[:], key)
	return err == nil && n == 16
}

// cutLine takes a line that ends in CR LF. A bare LF is left to net/http.
func cutLine(b []byte) (line, rest []byte, ok bool) {
	i := bytes.IndexByte(b, '\n')
	if i < 1 || b[i-1] != '\r' {
		return nil, b, false
	}
	return b[:i-1], b[i+1:], true
}

func is(b []byte, name string) bool {
	return len(b) == len(name) && bytes.EqualFold(b, []byte(name))
}

// hasToken reports whether the comma-separated list holds want.
func hasToken(list []byte, want string) bool {
	for item := range bytes.SplitSeq(list, []byte(",")) {
		if is(bytes.Trim(item, " \t"), want) {
			return true
		}
	}
	return false
}

// token reports whether name is made of the characters of RFC 9110 5.6.2.
func token(name []byte) bool {
	for _, ch := range name {
		switch {
		case 'a' <= ch && ch <= 'z', 'A' <= ch && ch <= 'Z', '0' <= ch && ch <= '9':
		case bytes.IndexByte([]byte("!#$%&'*+-.^_`|~"), ch) >= 0:
		default:
			return false
		}
	}
	return len(name) > 0
}

// printable reports whether target is a path of visible ASCII (Reverb: the same).
func printable(target []byte) bool {
	for _, ch := range target {
		if ch <= ' ' || ch >= 0x7f || ch == '#' {
			return false
		}
	}
	return len(target) > 0 && target[0] == '/'
}
