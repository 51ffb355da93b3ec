package poller

import (
	"math"
	"unicode/utf8"

	"github.com/gobwas/ws"
)

// frameSink is told what a client sent. Returning false means: enough, parse no further.
type frameSink interface {
	// crowded reports that the next frame has to wait, and all that is behind it.
	crowded() bool

	// message gets one whole message, unmasked, checked, its fragments joined. payload is valid until
	// message returns and may be modified.
	message(payload []byte, binary bool) bool

	// control gets a ping, a pong or a close frame with a valid payload, under the same rules. Nothing is
	// parsed after a close frame, whatever is returned.
	control(op ws.OpCode, payload []byte) bool
}

// decoder turns the bytes of one client into messages. It does no I/O. The zero value is ready and owns no memory;
// memory is only held while a frame or a message is unfinished. One goroutine at a time, and no calls out of a sink.
type decoder struct {
	rest *rest // nil while nothing is unfinished
	done bool  // after a violation, a close frame, or a sink that had enough: all that follows is ignored
}

// feed parses p, which it modifies, until s is crowded, and hands what is complete to s as slices of p where it can. It returns what it has
// not parsed; the rest of p is free again. A message over limit bytes is a violation as soon as its header tells; 0 is no limit.
// After a violation the decoder is done.
func (d *decoder) feed(p []byte, limit int64, s frameSink) (unread []byte, v *violation) {
	if limit <= 0 {
		limit = math.MaxInt64
	}
	for len(p) > 0 && !d.done && !s.crowded() {
		var n int
		if d.rest != nil && d.rest.left > 0 {
			n, v = d.resume(p, s)
		} else {
			n, v = d.begin(p, limit, s)
		}
		d.done = d.done || v != nil
		if d.done {
			d.release()
			return nil, v
		}
		p = p[n:]
	}
	if d.done {
		return nil, nil
	}
	return p, nil
}

// release gives memory back when the connection is over.
func (d *decoder) release() {
	if d.rest != nil {
		d.rest.release()
		d.rest = nil
	}
}

// begin parses the frame that starts in p, or goes on with its header, and returns how much of p it took.
func (d *decoder) begin(p []byte, limit int64, s frameSink) (int, *violation) {
	h, n, v := d.header(p)
	if v != nil || n == 0 {
		return len(p), v
	}
	if v := d.check(h, limit); v != nil {
		return n, v
	}
	body := p[n:]
	if int64(len(body)) < h.Length {
		d.open().start(h)
		return n, nil
	}
	body = body[:h.Length]
	ws.Cipher(body, h.Mask, 0)
	if h.OpCode.IsControl() {
		v = d.control(h.OpCode, body, s)
	} else if h.Fin && h.OpCode != ws.OpContinuation {
		v = d.message(body, h.OpCode, s)
	} else {
		r := d.open()
		r.start(h)
		r.left = 0
		v = d.fragment(body, s)
	}
	return n + len(body), v
}

// resume adds to the unfinished payload what p has of it, and returns how much that was.
func (d *decoder) resume(p []byte, s frameSink) (int, *violation) {
	r := d.rest
	h := &r.frame
	got := h.Length - r.left
	p = p[:min(int64(len(p)), r.left)]
	ws.Cipher(p, h.Mask, int(got%4))
	r.left -= int64(len(p))
	if !h.OpCode.IsControl() {
		return len(p), d.fragment(p, s)
	}
	copy(r.payload[got:], p)
	if r.left > 0 {
		return len(p), nil
	}
	return len(p), d.control(h.OpCode, r.payload[:h.Length], s)
}

// header returns the header that starts in p or started before it, and how much of p it took: 0 when it is still
// unfinished and all of p was put aside.
func (d *decoder) header(p []byte) (h ws.Header, n int, v *violation) {
	if d.rest == nil || d.rest.headLen == 0 {
		if h, n, v = parseHeader(p); n == 0 && v == nil {
			d.open().keepHead(p)
		}
		return h, n, v
	}
	r := d.rest
	had := r.headLen
	r.keepHead(p)
	if h, n, v = parseHeader(r.head[:r.headLen]); n == 0 || v != nil {
		return h, 0, v
	}
	r.headLen = 0
	return h, n - had, nil
}

// check judges a header: the rules of RFC 6455 5, then the size of the message so far, so that nothing is kept of
// a message that will be refused.
func (d *decoder) check(h ws.Header, limit int64) *violation {
	state := ws.StateServerSide
	var have int64
	if d.rest != nil && d.rest.op != 0 {
		state = state.Set(ws.StateFragmented)
		have = int64(len(d.rest.joined.b))
	}
	if err := ws.CheckHeader(h, state); err != nil {
		return headerViolation(err)
	}
	if h.OpCode.IsControl() {
		have = 0 // Reverb: control frames have to keep the limit too
	}
	if h.Length > limit-have {
		return violationTooBig
	}
	return nil
}

// control hands out a whole control frame.
func (d *decoder) control(op ws.OpCode, payload []byte, s frameSink) *violation {
	if op == ws.OpClose {
		if v := checkClose(payload); v != nil {
			return v
		}
	}
	d.done = !s.control(op, payload) || op == ws.OpClose
	d.settle()
	return nil
}

// message hands out a message of one frame that was whole in what was read.
func (d *decoder) message(payload []byte, op ws.OpCode, s frameSink) *violation {
	if op == ws.OpText && !utf8.Valid(payload) {
		return violationUTF8
	}
	d.done = !s.message(payload, op == ws.OpBinary)
	d.settle()
	return nil
}

// fragment joins p to the unfinished message, and hands that out if it is finished now. Text is judged as it
// arrives: a client learns of a wrong byte before it has sent the rest (Autobahn 6.4 wants it).
func (d *decoder) fragment(p []byte, s frameSink) *violation {
	r := d.rest
	r.joined.append(p, r.announced(len(p)))
	last := r.left == 0 && r.frame.Fin
	if r.op == ws.OpText && !r.checkText(last) {
		return violationUTF8
	}
	if !last {
		return nil
	}
	d.done = !s.message(r.joined.b, r.op == ws.OpBinary)
	d.release()
	return nil
}

// open returns the rest, which it borrows when there is none.
func (d *decoder) open() *rest {
	if d.rest == nil {
		d.rest = takeRest()
	}
	return d.rest
}

// settle gives the rest back when a frame ended and nothing else is unfinished.
func (d *decoder) settle() {
	if d.rest != nil && d.rest.op == 0 {
		d.release()
	}
}
