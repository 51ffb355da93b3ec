package measure

import (
	"bytes"
	"strconv"
)

// mark opens every payload. It holds no character that JSON escapes, so that it survives any server's encoder.
const mark = "b1:"

// padding fills a payload up to the size asked for.
const padding = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ--"

// AppendPayload appends an event's data: mark, publisher, seq (from 1 up), at (ns, when the event was due) and padding up to size
// bytes in all. A size too small for the head yields the head alone. The text needs no escaping in JSON.
func AppendPayload(dst []byte, publisher, seq int, at int64, size int) []byte {
	start := len(dst)
	dst = append(dst, mark...)
	dst = strconv.AppendInt(dst, int64(publisher), 10)
	dst = append(dst, ':')
	dst = strconv.AppendInt(dst, int64(seq), 10)
	dst = append(dst, ':')
	dst = strconv.AppendInt(dst, at, 10)
	dst = append(dst, ':')
	for missing := size - (len(dst) - start); missing > 0; missing = size - (len(dst) - start) {
		dst = append(dst, padding[:min(missing, len(padding))]...)
	}
	return dst
}

// ParsePayload finds the payload in an event's data, whatever a server has wrapped around it. ok is false when there is none.
func ParsePayload(data []byte) (publisher, seq int, at int64, ok bool) {
	for {
		i := bytes.Index(data, []byte(mark))
		if i < 0 {
			return 0, 0, 0, false
		}
		data = data[i+len(mark):]
		if publisher, seq, at, ok = parseHead(data); ok {
			return publisher, seq, at, true
		}
	}
}

// parseHead reads what follows the mark.
func parseHead(data []byte) (publisher, seq int, at int64, ok bool) {
	p, data, ok1 := number(data)
	s, data, ok2 := number(data)
	at, _, ok3 := number(data)
	if !ok1 || !ok2 || !ok3 {
		return 0, 0, 0, false
	}
	return int(p), int(s), at, true
}

// number reads decimal digits up to a colon, at most 18 of them, so that it never overflows.
func number(data []byte) (n int64, rest []byte, ok bool) {
	for i, c := range data {
		switch {
		case c == ':':
			return n, data[i+1:], i > 0
		case c < '0' || c > '9' || i >= 18:
			return 0, nil, false
		}
		n = n*10 + int64(c-'0')
	}
	return 0, nil, false
}
