package outbound_test

import (
	"sync"
	"sync/atomic"
	"testing"

	"reverb/outbound"
)

// countedLines is an encoding of one line for each message, and how many it has made.
func countedLines() (lines *outbound.Encoding, made *atomic.Int32) {
	made = new(atomic.Int32)
	return outbound.NewEncoding(func(dst, json []byte) []byte {
		made.Add(1)
		return append(append(dst, json...), '\n')
	}), made
}

func TestSingleMessage(t *testing.T) {
	m := outbound.New(`{"a":1}`)
	lines, _ := countedLines()
	if got := string(m.In(lines)); got != "{\"a\":1}\n" {
		t.Errorf("line %q", got)
	}
	var b outbound.Batch
	b.Add(m)
	if frame := b.In(outbound.TextFrame); &frame[0] != &m.In(outbound.TextFrame)[0] {
		t.Error("the frame of a single message is copied")
	}
	if got := string(b.In(lines)); got != "{\"a\":1}\n" {
		t.Errorf("line %q", got)
	}
}

// Each encoding is one buffer, made on first use, however many ask for it at the same time.
func TestBatchSharesEncodings(t *testing.T) {
	lines, made := countedLines()
	other, madeOther := countedLines()
	var b outbound.Batch
	for round := int32(1); round <= 3; round++ {
		first, second := outbound.New(`{"a":1}`), outbound.New(`{"b":2}`)
		b.Add(first)
		b.Add(second)
		if b.Len() != 2 || made.Load() != 2*(round-1) {
			t.Errorf("round %d: %d messages, %d lines made before one was asked for", round, b.Len(), made.Load())
		}
		var asking sync.WaitGroup
		buffers := make([][]byte, 12)
		for i := range buffers {
			asking.Go(func() {
				buffers[i] = b.In([]*outbound.Encoding{outbound.TextFrame, lines, other}[i%3])
			})
		}
		asking.Wait()
		want := []string{string(first.In(outbound.TextFrame)) + string(second.In(outbound.TextFrame)), "{\"a\":1}\n{\"b\":2}\n", "{\"a\":1}\n{\"b\":2}\n"}
		for i, got := range buffers {
			if string(got) != want[i%3] || &got[0] != &buffers[i%3][0] {
				t.Errorf("round %d: buffer %d is %q, want %q, shared", round, i, got, want[i%3])
			}
		}
		if made.Load() != 2*round || madeOther.Load() != 2*round {
			t.Errorf("round %d: %d and %d lines were made, want %d of each", round, made.Load(), madeOther.Load(), 2*round)
		}
		b.Reset(2)
	}
}

// A pass of many text frames is one buffer and nothing else.
func TestBatchAllocations(t *testing.T) {
	var b outbound.Batch
	m := outbound.New(`{"a":1}`)
	for messages, want := range map[int]float64{1: 0, 2: 1, 16: 1} {
		got := testing.AllocsPerRun(100, func() {
			for range messages {
				b.Add(m)
			}
			b.In(outbound.TextFrame)
			b.In(outbound.TextFrame)
			b.Reset(16)
		})
		if got != want {
			t.Errorf("%d messages: %v allocations, want %v", messages, got, want)
		}
	}
}
