package poller

import (
	"bytes"
	"strconv"
)

// direct lets Config.Direct answer the request that begins all, whose head ends at end, and returns what follows it. Only a request
// that is plain and here to its last byte is offered; the others, and those that Direct leaves alone, go to net/http, which knows
// everything that HTTP can be. A back end keeps its connection and publishes thousands of times a second: a goroutine, a parsed
// header map and their garbage would be about half of the cost of such a request. A TLS connection has its goroutine anyway.
func (c *conn) direct(all []byte, end int) (rest []byte, answered bool) {
	answer := c.table.poller.cfg.Direct
	if answer == nil || c.table.loop == nil || !bytes.HasPrefix(all, []byte("POST /")) {
		return all, false
	}
	target, length, ok := parsePlainPost(all[:end])
	if !ok || length > len(all)-end {
		return all, false
	}
	if !c.answersSent() {
		return all, false
	}
	b := answer(target, all[end:end+length], c.clientOf(all[:end]))
	if b == nil {
		return all, false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.state.Load() != stateHandshake {
		return nil, true
	}
	c.roomLocked(b)
	c.pushLocked(b)
	c.kept = true
	c.table.schedule(c, c.table.poller.cfg.IdleTimeout)
	return all[end+length:], true
}

// answersSent reports whether the client has taken the answers before those of this read. A client that pipelines faster than it reads is handed to
// net/http, which may wait for it.
func (c *conn) answersSent() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.outbox == nil || c.corked
}

// parsePlainPost reads the head of a POST, with its empty line. ok means that nothing in it needs more than its target and the length
// of its body to be answered as net/http would.
func parsePlainPost(head []byte) (target []byte, length int, ok bool) {
	line, head, ok := cutLine(head)
	rest, ok2 := bytes.CutPrefix(line, []byte("POST "))
	target, proto, _ := bytes.Cut(rest, []byte(" "))
	if !ok || !ok2 || string(proto) != "HTTP/1.1" || !printable(target) {
		return nil, 0, false
	}
	hosts, lengths := 0, 0
	for {
		if line, head, ok = cutLine(head); !ok {
			return nil, 0, false
		}
		if len(line) == 0 {
			return target, length, hosts == 1 && lengths == 1
		}
		name, value, ok := bytes.Cut(line, []byte(":"))
		if !ok || !token(name) || !plainValue(value) {
			return nil, 0, false
		}
		value = bytes.Trim(value, " \t")
		switch {
		case is(name, "Host"):
			hosts++
			if !plainHost(value) {
				return nil, 0, false
			}
		case is(name, "Content-Length"):
			lengths++
			if length, ok = plainLength(value); !ok {
				return nil, 0, false
			}
		case is(name, "Connection"):
			if !is(value, "keep-alive") {
				return nil, 0, false
			}
		case is(name, "Transfer-Encoding"), is(name, "Expect"), is(name, "Upgrade"), is(name, "Origin"):
			return nil, 0, false
		}
	}
}

// plainValue reports whether a header's value holds nothing but visible ASCII, spaces and tabs.
func plainValue(value []byte) bool {
	for _, ch := range value {
		if ch < ' ' && ch != '\t' || ch >= 0x7f {
			return false
		}
	}
	return true
}

// plainHost reports whether host is a name or address that net/http takes, too.
func plainHost(host []byte) bool {
	for _, ch := range host {
		switch {
		case 'a' <= ch && ch <= 'z', 'A' <= ch && ch <= 'Z', '0' <= ch && ch <= '9':
		case bytes.IndexByte([]byte(".-_:[]"), ch) >= 0:
		default:
			return false
		}
	}
	return len(host) > 0
}

// plainLength reads a length of one to six digits: nothing longer fits the buffer that it would have to be in.
func plainLength(value []byte) (int, bool) {
	if len(value) == 0 || len(value) > 6 || value[0] < '0' || value[0] > '9' {
		return 0, false
	}
	n, err := strconv.Atoi(string(value))
	return n, err == nil
}
