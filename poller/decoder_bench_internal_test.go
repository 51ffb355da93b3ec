package poller

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/gobwas/ws"
)

func BenchmarkDecoder(b *testing.B) {
	for _, size := range []int{32, 200, 4096, 65536} {
		frame := clientFrame(ws.OpText, true, strings.Repeat("x", size))
		for _, cut := range []int{len(frame), len(frame) / 2} {
			b.Run(fmt.Sprintf("size=%d/cut=%t", size, cut < len(frame)), func(b *testing.B) {
				buf := make([]byte, len(frame))
				var d decoder
				sink := &discard{}
				b.SetBytes(int64(len(frame)))
				b.ReportAllocs()
				for b.Loop() {
					copy(buf, frame)
					_ = feedAll(&d, buf[:cut], 0, sink)
					_ = feedAll(&d, buf[cut:], 0, sink)
				}
			})
		}
	}
}

// The same header read through gobwas' reader, to see what the own parser is good for.
func BenchmarkParseHeader(b *testing.B) {
	frame := clientFrame(ws.OpText, true, strings.Repeat("x", 200))
	b.Run("slice", func(b *testing.B) {
		for b.Loop() {
			if h, _, _ := parseHeader(frame); h.Length != 200 {
				b.Fatal(h)
			}
		}
	})
	b.Run("reader", func(b *testing.B) {
		r, buf := bytes.NewReader(nil), make([]byte, ws.MaxHeaderSize)
		for b.Loop() {
			r.Reset(frame)
			if h, _ := ws.ReadHeaderBuffer(r, buf); h.Length != 200 {
				b.Fatal(h)
			}
		}
	})
}
