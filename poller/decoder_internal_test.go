package poller

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"unsafe"

	"github.com/gobwas/ws"
)

var testMask = [4]byte{0xa1, 0xb2, 0xc3, 0xd4}

// clientFrame returns a masked frame.
func clientFrame(op ws.OpCode, fin bool, payload string) []byte {
	return ws.MustCompileFrame(ws.MaskFrameWith(ws.NewFrame(op, fin, []byte(payload)), testMask))
}

func join(frames ...[]byte) []byte { return bytes.Join(frames, nil) }

// feedAll has d parse all of p.
func feedAll(d *decoder, p []byte, limit int64, s frameSink) *violation {
	_, v := d.feed(p, limit, s)
	return v
}

// recorder is a frameSink that writes down what it is told.
type recorder struct {
	got  []string
	stop bool // says that it had enough
	full int  // frames after which it is crowded; 0: never
}

func (r *recorder) crowded() bool { return r.full > 0 && len(r.got) >= r.full }

func (r *recorder) message(payload []byte, binary bool) bool {
	kind := "text"
	if binary {
		kind = "binary"
	}
	r.got = append(r.got, kind+" "+string(payload))
	clear(payload) // a handler may modify what it was given
	return !r.stop
}

func (r *recorder) control(op ws.OpCode, payload []byte) bool {
	r.got = append(r.got, fmt.Sprintf("control %d %s", op, payload))
	return !r.stop
}

// sawViolation appends what a client is told to what the sink was told.
func (r *recorder) sawViolation(v *violation) {
	if v != nil {
		r.got = append(r.got, fmt.Sprintf("violation %d %s %s", v.code, v.text, v.reason))
	}
}

// feedPieces feeds a copy of each piece, cut out of stream at the given places.
func feedPieces(stream []byte, limit int64, cuts ...int) []string {
	var d decoder
	defer d.release()
	r := &recorder{}
	from := 0
	for _, to := range append(cuts, len(stream)) {
		v := feedAll(&d, bytes.Clone(stream[from:to]), limit, r)
		r.sawViolation(v)
		if v != nil {
			break
		}
		from = to
	}
	return r.got
}

func assertSame(t *testing.T, got, want []string, input string) {
	t.Helper()
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Fatalf("%s:\ngot  %.300q\nwant %.300q", input, got, want)
	}
}

// every kind of frame a client may send, one after another.
func validStream() (stream []byte, want []string) {
	long := strings.Repeat("long ä€😀 ", 40) // a length of 16 bits
	stream = join(
		clientFrame(ws.OpText, true, "hello"),
		clientFrame(ws.OpBinary, true, "\xff\x00"),
		clientFrame(ws.OpText, true, ""),
		clientFrame(ws.OpPing, true, "are you there"),
		clientFrame(ws.OpText, false, "frag-\xe2\x82"), // half of a rune
		clientFrame(ws.OpPong, true, "in between"),
		clientFrame(ws.OpContinuation, false, ""),
		clientFrame(ws.OpPing, true, ""),
		clientFrame(ws.OpContinuation, true, "\xac-mented"),
		clientFrame(ws.OpText, true, long),
		clientFrame(ws.OpBinary, false, ""),
		clientFrame(ws.OpContinuation, true, ""),
		clientFrame(ws.OpClose, true, "\x03\xe8bye €"),
	)
	return stream, []string{
		"text hello", "binary \xff\x00", "text ", "control 9 are you there", "control 10 in between", "control 9 ",
		"text frag-€-mented", "text " + long, "binary ", "control 8 \x03\xe8bye €",
	}
}

func TestDecoderWhole(t *testing.T) {
	stream, want := validStream()
	assertSame(t, feedPieces(stream, 0), want, "in one piece")
}

func TestDecoderCutAtEveryByte(t *testing.T) {
	stream, want := validStream()
	every := make([]int, 0, len(stream))
	for i := 1; i < len(stream); i++ {
		every = append(every, i)
		assertSame(t, feedPieces(stream, 0, i), want, fmt.Sprint("cut at ", i))
		for j := i; j < min(i+16, len(stream)); j++ {
			assertSame(t, feedPieces(stream, 0, i, j), want, fmt.Sprint("cut at ", i, " and ", j))
		}
	}
	assertSame(t, feedPieces(stream, 0, every...), want, "byte by byte")
}

// A length of 64 bits, and reads of the size of a loop's buffer.
func TestDecoderLargeMessage(t *testing.T) {
	want := strings.Repeat("0123456789abcde\n", 200_000)
	stream := join(clientFrame(ws.OpText, true, want), clientFrame(ws.OpText, true, "next"))
	var cuts []int
	for i := 64 << 10; i < len(stream); i += 64 << 10 {
		cuts = append(cuts, i)
	}
	got := feedPieces(stream, 0, cuts...)
	if len(got) != 2 || got[0] != "text "+want || got[1] != "text next" {
		t.Fatalf("got %d messages, the first of %d bytes, want 2, the first of %d", len(got), len(got[0]), len(want))
	}
}

func TestDecoderViolations(t *testing.T) {
	frame := func(b ...byte) []byte { return append(b, testMask[:]...) }
	closing := func(payload string) []byte { return clientFrame(ws.OpClose, true, payload) }
	text := func(payload string) []byte { return clientFrame(ws.OpText, true, payload) }
	const limit = 100
	tests := []struct {
		name   string
		stream []byte
		want   *violation
	}{
		{"message over the limit", text(strings.Repeat("x", limit+1)), violationTooBig},
		{"only its header", frame(0x81, 0xfe, 0, limit+1), violationTooBig},
		{"largest length", frame(0x82, 0xff, 0x7f, 255, 255, 255, 255, 255, 255, 255), violationTooBig},
		{"sum of fragments", join(clientFrame(ws.OpText, false, strings.Repeat("x", limit)), frame(0x80, 0x81)), violationTooBig},
		{"control frame over the limit", frame(0x89, 0x80+limit+1), violationTooBig},
		{"top bit of length", frame(0x82, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0), violationLength},
		{"not UTF-8", text("a\xff"), violationUTF8},
		{"ends within a rune", text("a\xe2\x82"), violationUTF8},
		{"surrogate", text("\xed\xa0\x80"), violationUTF8},
		{"over the last code point", text("\xf4\x90\x80\x80"), violationUTF8},
		{"fragment not UTF-8", clientFrame(ws.OpText, false, "\xc0"), violationUTF8},
		{"fragments end within a rune", join(clientFrame(ws.OpText, false, "\xe2"), clientFrame(ws.OpContinuation, true, "\x82")), violationUTF8},
		{"RSV1", frame(0xc1, 0x80), violationReservedBits},
		{"RSV2", frame(0xa1, 0x80), violationReservedBits},
		{"RSV3 on a ping", frame(0x99, 0x80), violationReservedBits},
		{"unmasked", []byte{0x81, 1, 'x'}, violationUnmasked},
		{"unmasked, empty", []byte{0x81, 0}, violationUnmasked},
		{"unmasked close", []byte{0x88, 0}, violationUnmasked},
		{"ping of 126 bytes", frame(0x89, 0xfe, 0, 126), violationControl},
		{"fragmented ping", frame(0x09, 0x80), violationControl},
		{"fragmented close", frame(0x08, 0x80), violationControl},
		{"opcode 3", frame(0x83, 0x80), violationOpCode},
		{"opcode 7", frame(0x87, 0x80), violationOpCode},
		{"opcode 11", frame(0x8b, 0x80), violationOpCode},
		{"opcode 15", frame(0x8f, 0x80), violationOpCode},
		{"continuation first", frame(0x80, 0x80), violationNotBegun},
		{"opcode 15 within a text", join(clientFrame(ws.OpText, false, ""), frame(0x8f, 0x80)), violationOpCode},
		{"text within a text", join(clientFrame(ws.OpText, false, "a"), frame(0x81, 0x80)), violationNotFinished},
		{"binary within an empty text", join(clientFrame(ws.OpText, false, ""), frame(0x02, 0x80)), violationNotFinished},
		{"close of 1 byte", closing("\x03"), violationCloseCode},
		{"close reason not UTF-8", closing("\x03\xe8\xff"), violationCloseUTF8},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			want := &recorder{}
			want.sawViolation(tt.want)
			assertSame(t, feedPieces(tt.stream, limit), want.got, "whole")
			for i := 1; i < len(tt.stream); i++ {
				assertSame(t, feedPieces(tt.stream, limit, i), want.got, fmt.Sprint("cut at ", i))
			}
		})
	}
}

func TestDecoderCloseCodes(t *testing.T) {
	allowed := map[int]bool{1000: true, 1001: true, 1002: true, 1003: true, 1007: true, 1008: true, 1009: true, 1010: true, 1011: true}
	for code := range 1 << 16 {
		payload := string([]byte{byte(code >> 8), byte(code)})
		want := fmt.Sprintf("control 8 %s", payload)
		if !allowed[code] && (code < 3000 || code > 4999) {
			want = "violation 1002 " + violationCloseCode.text + " protocol_error"
		}
		assertSame(t, feedPieces(clientFrame(ws.OpClose, true, payload), 0), []string{want}, fmt.Sprint("code ", code))
	}
}

func TestDecoderLimitIsInclusive(t *testing.T) {
	stream := join(clientFrame(ws.OpText, true, "12345"), clientFrame(ws.OpText, false, "123"),
		clientFrame(ws.OpPing, true, "12345"), clientFrame(ws.OpContinuation, true, "45"))
	assertSame(t, feedPieces(stream, 5), []string{"text 12345", "control 9 12345", "text 12345"}, "limit 5")
}

func TestDecoderContinuationAfterTheEnd(t *testing.T) {
	stream := join(clientFrame(ws.OpText, false, "a"), clientFrame(ws.OpContinuation, true, "b"), clientFrame(ws.OpContinuation, true, "c"))
	want := &recorder{got: []string{"text ab"}}
	want.sawViolation(violationNotBegun)
	assertSame(t, feedPieces(stream, 0), want.got, "two ends")
}

// Frames before a violation count, frames after it do not, in the same read or a later one.
func TestDecoderIsDoneAfter(t *testing.T) {
	bad, next := []byte{0x81, 0}, clientFrame(ws.OpText, true, "next")
	broke := "violation 1002 " + violationUnmasked.text + " protocol_error"
	tests := []struct {
		name   string
		frame  []byte
		within bool // a fragmented message
		stop   bool
		want   string
	}{
		{"violation", bad, false, false, broke},
		{"violation within a message", bad, true, false, broke},
		{"close", clientFrame(ws.OpClose, true, ""), false, false, "control 8 "},
		{"close within a message", clientFrame(ws.OpClose, true, ""), true, false, "control 8 "},
		{"sink that had enough of messages", clientFrame(ws.OpText, true, "x"), false, true, "text x"},
		{"sink that had enough of controls", clientFrame(ws.OpPing, true, "x"), true, true, "control 9 x"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var d decoder
			r := &recorder{stop: tt.stop}
			if tt.within {
				r.sawViolation(feedAll(&d, clientFrame(ws.OpText, false, "begun"), 0, r))
			}
			r.sawViolation(feedAll(&d, join(tt.frame, next), 0, r))
			r.sawViolation(feedAll(&d, bytes.Clone(next), 0, r))
			assertSame(t, r.got, []string{tt.want}, tt.name)
			if d.rest != nil {
				t.Error("memory is still held")
			}
		})
	}
}

// A sink that is crowded gets no frame more, and all that it has not had is returned.
func TestDecoderWaitsForACrowdedSink(t *testing.T) {
	stream, want := validStream()
	var d decoder
	defer d.release()
	r := &recorder{full: 1}
	for unread := stream; len(unread) > 0; r.full++ {
		had := len(r.got)
		var v *violation
		if unread, v = d.feed(unread, 0, r); v != nil {
			t.Fatal(v.text)
		}
		if len(r.got) > had+1 {
			t.Fatalf("%d frames at once", len(r.got)-had)
		}
	}
	assertSame(t, r.got, want, "one at a time")
}

// Text is refused at the first wrong byte, not at the end of its message.
func TestDecoderFailsFast(t *testing.T) {
	text := clientFrame(ws.OpText, true, "κόσμε\xf4\x90\x80\x80 and much more")
	var d decoder
	for i := range text {
		v := feedAll(&d, bytes.Clone(text[i:i+1]), 0, &recorder{})
		bad := i == 6+len("κόσμε")+1 // the second byte puts it over the last code point
		if (v != nil) != bad {
			t.Fatalf("byte %d: violation %v, want one: %t", i, v, bad)
		}
		if bad {
			return
		}
	}
}

func TestDecoderHoldsNothingWhenIdle(t *testing.T) {
	if size := unsafe.Sizeof(decoder{}); size > 48 {
		t.Errorf("an idle decoder has %d bytes, want at most 48", size)
	}
	stream, _ := validStream()
	stream = stream[:len(stream)-len(clientFrame(ws.OpClose, true, "\x03\xe8bye €"))]
	var d decoder
	for i := range stream {
		if v := feedAll(&d, stream[i:i+1], 0, &recorder{}); v != nil {
			t.Fatal(v.text)
		}
	}
	if d.rest != nil {
		t.Error("memory is held although nothing is unfinished")
	}
}

// A client that announces much and sends little costs little.
func TestDecoderTakesMemoryAsBytesArrive(t *testing.T) {
	var d decoder
	defer d.release()
	header := append([]byte{0x82, 0xff, 0, 0, 0, 0, 1, 0, 0, 0}, testMask[:]...) // 16 MiB
	sent := 0
	feed := func(p []byte) {
		if v := feedAll(&d, p, 0, &recorder{}); v != nil {
			t.Fatal(v.text)
		}
	}
	feed(header)
	for range 100 {
		feed(make([]byte, 1000))
		sent += 1000
		if have := cap(d.rest.joined.b); have > max(2*sent, 1024) {
			t.Fatalf("%d bytes are held after %d arrived", have, sent)
		}
	}
}

// A large message in many fragments is not copied again for each of them.
func TestDecoderManyFragments(t *testing.T) {
	const size, fragment = 4 << 20, 64
	body := strings.Repeat("x", fragment)
	first, next, last := clientFrame(ws.OpText, false, body), clientFrame(ws.OpContinuation, false, body), clientFrame(ws.OpContinuation, true, body)
	var d decoder
	sink := &discard{}
	feed := func(frame []byte) {
		if v := feedAll(&d, bytes.Clone(frame), 0, sink); v != nil {
			t.Fatal(v.text)
		}
	}
	feed(first)
	grown := 0
	for have, i := cap(d.rest.joined.b), 2; i < size/fragment; i++ {
		feed(next)
		if now := cap(d.rest.joined.b); now != have {
			have, grown = now, grown+1
		}
	}
	feed(last)
	if sink.messages != 1 || grown > 20 {
		t.Errorf("got %d messages and memory that grew %d times, want 1 and at most 20", sink.messages, grown)
	}
}

// discard is a sink that only counts.
type discard struct{ messages int }

func (s *discard) crowded() bool                  { return false }
func (s *discard) message([]byte, bool) bool      { s.messages++; return true }
func (s *discard) control(ws.OpCode, []byte) bool { return true }

func TestDecoderDoesNotAllocate(t *testing.T) {
	frame := clientFrame(ws.OpText, true, `{"event":"pusher:ping","data":{}}`)
	buf := make([]byte, len(frame))
	var d decoder
	sink := &discard{}
	if n := testing.AllocsPerRun(1000, func() {
		copy(buf, frame)
		if feedAll(&d, buf, 10_000, sink) != nil {
			t.Error("violation")
		}
	}); n != 0 {
		t.Errorf("a whole message cost %v allocations, want 0", n)
	}
}

// FuzzDecoder compares what comes out of a stream cut at random with what comes out of it in one piece.
func FuzzDecoder(f *testing.F) {
	stream, _ := validStream()
	f.Add(stream, []byte{1, 2, 3, 40}, uint16(0))
	f.Add(stream[:200], []byte{7}, uint16(100))
	f.Add(clientFrame(ws.OpText, false, "\xe2\x82"), []byte{1}, uint16(3))
	f.Add([]byte{0x82, 0xff, 0x7f, 255, 255, 255, 255, 255, 255, 255, 1, 2, 3, 4, 5}, []byte{3}, uint16(0))
	f.Fuzz(func(t *testing.T, stream, steps []byte, limit uint16) {
		var cuts []int
		for i, at := 0, 0; len(steps) > 0 && at < len(stream); i++ {
			cuts = append(cuts, at)
			at += max(1, int(steps[i%len(steps)]))
		}
		want := feedPieces(stream, int64(limit))
		assertSame(t, feedPieces(stream, int64(limit), cuts...), want, fmt.Sprintf("limit %d, cuts %v", limit, cuts))

		var d decoder
		_ = feedAll(&d, bytes.Clone(stream), int64(limit), &discard{})
		if d.rest != nil && cap(d.rest.joined.b) > max(2*len(stream), 1024) {
			t.Fatalf("%d bytes are held after %d arrived", cap(d.rest.joined.b), len(stream))
		}
		d.release()
	})
}
