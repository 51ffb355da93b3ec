package outbound_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/gobwas/ws"

	"reverb/outbound"
)

// checkFrame takes the text frame apart that m is sent as; gobwas/ws is the judge of the header.
func checkFrame(t *testing.T, m outbound.Message, want string) {
	t.Helper()
	f := m.In(outbound.TextFrame)
	r := bytes.NewReader(f)
	header, err := ws.ReadHeader(r)
	if err != nil {
		t.Fatalf("read header of %d bytes: %v", len(f), err)
	}
	payload := f[len(f)-r.Len():]
	if want := (ws.Header{Fin: true, OpCode: ws.OpText, Length: int64(len(want))}); header != want {
		t.Errorf("header = %+v, want %+v", header, want)
	}
	if got, want := len(f)-len(payload), ws.HeaderSize(header); got != want {
		t.Errorf("header of %d bytes, want the shortest, %d", got, want)
	}
	if string(payload) != want || string(m.JSON()) != want || m.Size() != len(f) || m.IsZero() {
		t.Errorf("payload of %d bytes, JSON of %d, size %d, zero %v; want %d bytes", len(payload), len(m.JSON()), m.Size(), m.IsZero(), len(want))
	}
}

// The edges between the three forms of the header, and a buffer that grows or does not.
func TestLengths(t *testing.T) {
	for _, n := range []int{0, 1, 125, 126, 127, 65535, 65536, 100_000} {
		text := strings.Repeat("x", n)
		checkFrame(t, outbound.New(text), text)
		for _, size := range []int{0, n, n + 100} {
			checkFrame(t, outbound.End(append(outbound.Begin(size), text...)), text)
		}
		for _, start := range []int{outbound.Room, 44} {
			checkFrame(t, outbound.At(append(make([]byte, start), text...), start), text)
		}
	}
}

// sink keeps a message from the stack.
var sink outbound.Message

func TestMessageIsNotCopied(t *testing.T) {
	buf := append(outbound.Begin(100), "{}"...)
	m := outbound.End(buf)
	if &m.JSON()[0] != &buf[outbound.Room] || &m.In(outbound.TextFrame)[2] != &buf[outbound.Room] {
		t.Error("JSON or frame is a copy")
	}
	text := []byte("{}")
	if m = outbound.New(text); &m.JSON()[0] == &text[0] {
		t.Error("New keeps the memory of its caller")
	}
	if got := testing.AllocsPerRun(100, func() { sink = outbound.End(append(outbound.Begin(2), "{}"...)) }); got != 1 {
		t.Errorf("%v allocations for a message, want 1", got)
	}
}

func TestNoMessage(t *testing.T) {
	var m outbound.Message
	if !m.IsZero() || m.JSON() != nil || m.Size() != 0 {
		t.Errorf("zero %v, JSON %q, size %d", m.IsZero(), m.JSON(), m.Size())
	}
}
