package poller

import (
	"encoding/binary"
	"math"
	"sync"
	"unicode/utf8"

	"github.com/gobwas/ws"
)

// restPool lends a rest to a decoder for as long as something is unfinished.
var restPool = sync.Pool{New: func() any { return new(rest) }}

// rest is what a decoder remembers from one read to the next: a cut header, a cut frame, or a message whose last
// fragment has not come. Between two fragments there may be a cut control frame, so these are three memories.
type rest struct {
	head    [ws.MaxHeaderSize]byte // the first bytes of a header
	headLen int

	frame   ws.Header                           // the frame that is being received
	left    int64                               // bytes of its payload still to come
	payload [ws.MaxControlFramePayloadSize]byte // of a control frame

	op     ws.OpCode // of the unfinished message; 0 when there is none
	joined scratch   // its payload so far, unmasked
	valid  int       // bytes of joined known to be whole runes, when it is text
}

func takeRest() *rest { return restPool.Get().(*rest) }

// release gives r and its memory back.
func (r *rest) release() {
	r.joined.release()
	*r = rest{}
	restPool.Put(r)
}

// start begins a frame of which the payload is still to come.
func (r *rest) start(h ws.Header) {
	r.frame, r.left = h, h.Length
	if h.OpCode == ws.OpText || h.OpCode == ws.OpBinary {
		r.op = h.OpCode
	}
}

// announced returns how long the message will be with the n bytes that are at hand and all that is still to come of
// its last fragment. Before that one there is no telling, and room must double: to grow by each fragment is to copy
// the whole message for each.
func (r *rest) announced(n int) int64 {
	if !r.frame.Fin {
		return math.MaxInt64
	}
	return int64(len(r.joined.b)+n) + r.left
}

// keepHead remembers as much of p as a header may have.
func (r *rest) keepHead(p []byte) {
	r.headLen += copy(r.head[r.headLen:], p)
}

// checkText reports whether the text so far is UTF-8. Unless it is the whole text it may end within a rune.
func (r *rest) checkText(whole bool) bool {
	p := r.joined.b[r.valid:]
	if !whole {
		p = p[:len(p)-cutRune(p)]
	}
	r.valid += len(p)
	return utf8.Valid(p)
}

// cutRune returns how many bytes at the end of p are the beginning of a rune that may become valid.
func cutRune(p []byte) int {
	for n := 1; n < utf8.UTFMax && n <= len(p); n++ {
		if tail := p[len(p)-n:]; utf8.RuneStart(tail[0]) {
			if utf8.FullRune(tail) {
				return 0
			}
			return n
		}
	}
	return 0
}

// parseHeader reads the header at the start of p without copying (RFC 6455 5.2). n is its length, 0 when p ends
// before it does. ws.ReadHeader gives the same for what comes from an io.Reader.
func parseHeader(p []byte) (h ws.Header, n int, v *violation) {
	if len(p) < ws.MinHeaderSize {
		return h, 0, nil
	}
	h.Fin = p[0]&finBit != 0
	h.Rsv = p[0] >> 4 & 7
	h.OpCode = ws.OpCode(p[0] & 15)
	h.Masked = p[1]&0x80 != 0
	h.Length = int64(p[1] & 0x7f)
	n = 2
	switch h.Length {
	case 126:
		if n = 4; len(p) < n {
			return h, 0, nil
		}
		h.Length = int64(binary.BigEndian.Uint16(p[2:]))
	case 127:
		if n = 10; len(p) < n {
			return h, 0, nil
		}
		length := binary.BigEndian.Uint64(p[2:])
		if length>>63 != 0 {
			return h, 0, violationLength
		}
		h.Length = int64(length)
	}
	if !h.Masked {
		return h, n, nil
	}
	if len(p) < n+4 {
		return h, 0, nil
	}
	copy(h.Mask[:], p[n:])
	return h, n + 4, nil
}
