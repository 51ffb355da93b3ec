package client

import (
	"bytes"
	"crypto/rand"
	"crypto/sha1"
	"encoding/base64"
	"strconv"
)

// maxHead is the longest answer to the upgrade, in bytes.
const maxHead = 16 << 10

var headEnd = []byte("\r\n\r\n")

// upgradeRequest is the opening handshake and the Sec-WebSocket-Accept that answers it. One nonce serves the whole fleet: it
// protects against caches, and a fleet has none in between.
func upgradeRequest(t Target) (request, accept []byte) {
	var nonce [16]byte
	_, _ = rand.Read(nonce[:]) // never fails since Go 1.24
	key := base64.StdEncoding.EncodeToString(nonce[:])
	var b bytes.Buffer
	b.WriteString("GET " + t.prefix() + "/app/" + t.Key + "?protocol=7&client=reverb-bench&version=1.0.0&flash=false HTTP/1.1\r\n")
	b.WriteString("Host: " + t.Addr + "\r\n")
	if t.Origin != "" {
		b.WriteString("Origin: " + t.Origin + "\r\n")
	}
	b.WriteString("Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " + key + "\r\n\r\n")
	sum := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	return b.Bytes(), base64.StdEncoding.AppendEncode(nil, sum[:])
}

// readAnswer reads the answer to the upgrade at the start of b and returns its length, 0 while it is not complete.
func readAnswer(b, accept []byte) (int, error) {
	end := bytes.Index(b, headEnd)
	if end < 0 {
		if len(b) > maxHead {
			return 0, &UpgradeError{What: "head of more than 16 KiB"}
		}
		return 0, nil
	}
	line, fields, _ := bytes.Cut(b[:end], headEnd[:2])
	status := parseStatus(line)
	if status != 101 {
		return 0, &UpgradeError{Status: status, What: strconv.Quote(string(line))}
	}
	var upgraded, accepted bool
	for len(fields) > 0 {
		line, fields, _ = bytes.Cut(fields, headEnd[:2])
		name, value, _ := bytes.Cut(line, []byte(":"))
		value = bytes.TrimSpace(value)
		switch {
		case bytes.EqualFold(name, []byte("Upgrade")):
			upgraded = bytes.EqualFold(value, []byte("websocket"))
		case bytes.EqualFold(name, []byte("Sec-WebSocket-Accept")):
			accepted = bytes.Equal(value, accept)
		case bytes.EqualFold(name, []byte("Sec-WebSocket-Extensions")) && len(value) > 0:
			return 0, &UpgradeError{Status: status, What: "an extension that was not offered"}
		}
	}
	switch {
	case !upgraded:
		return 0, &UpgradeError{Status: status, What: "no Upgrade: websocket"}
	case !accepted:
		return 0, &UpgradeError{Status: status, What: "wrong Sec-WebSocket-Accept"}
	}
	return end + len(headEnd), nil
}

// parseStatus is the status of an HTTP/1 status line, 0 when it is none.
func parseStatus(line []byte) int {
	if len(line) < 12 || !bytes.HasPrefix(line, []byte("HTTP/1.")) || line[8] != ' ' {
		return 0
	}
	n, err := strconv.Atoi(string(line[9:12]))
	if err != nil || n < 100 || len(line) > 12 && line[12] != ' ' {
		return 0
	}
	return n
}
