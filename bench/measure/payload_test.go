package measure_test

import (
	"bytes"
	"encoding/json"
	"math"
	"testing"

	"reverb/bench/measure"
)

func TestPayloadRoundTrip(t *testing.T) {
	for _, c := range []struct {
		publisher, seq int
		at             int64
		size, want     int // bytes
	}{
		{0, 1, 0, 0, len("b1:0:1:0:")},
		{0, 1, 0, 9, 9},
		{0, 1, 0, 10, 10},
		{7, 42, 1234567890123, 200, 200},
		{9999, math.MaxUint32, 999_999_999_999_999_999, 64, 64},
		{3, 3, 3, 100_000, 100_000},
	} {
		data := measure.AppendPayload([]byte("before"), c.publisher, c.seq, c.at, c.size)
		if got := len(data) - len("before"); got != c.want {
			t.Errorf("%+v: %d bytes", c, got)
		}
		publisher, seq, at, ok := measure.ParsePayload(data)
		if !ok || publisher != c.publisher || seq != c.seq || at != c.at {
			t.Errorf("%+v: parsed %d %d %d %v", c, publisher, seq, at, ok)
		}
	}
}

func TestPayloadNeedsNoEscaping(t *testing.T) {
	data := measure.AppendPayload(nil, 12, 345, 678, 500)
	quoted, err := json.Marshal(string(data))
	if err != nil || !bytes.Equal(quoted[1:len(quoted)-1], data) {
		t.Errorf("as JSON %s, want %s", quoted, data)
	}
}

func TestParsePayload(t *testing.T) {
	for _, c := range []struct {
		data           string
		publisher, seq int
		at             int64
		ok             bool
	}{
		{`"b1:1:2:3:abc"`, 1, 2, 3, true},
		{`"{\"data\":\"b1:1:2:3:\"}"`, 1, 2, 3, true},
		{`{"user_id":"b1:1:2:3:"}`, 1, 2, 3, true},
		{"b1:x b1:1:2:3:", 1, 2, 3, true},
		{"b1:b1:1:2:3:", 1, 2, 3, true},
		{"b1:000:0:0:", 0, 0, 0, true},
		{"", 0, 0, 0, false},
		{"b1", 0, 0, 0, false},
		{"b1:", 0, 0, 0, false},
		{"b1:1", 0, 0, 0, false},
		{"b1:1:2:3", 0, 0, 0, false},
		{"b1:1:2:", 0, 0, 0, false},
		{"b1::2:3:", 0, 0, 0, false},
		{"b1:-1:2:3:", 0, 0, 0, false},
		{"b1:1:2.0:3:", 0, 0, 0, false},
		{"b1:1:2:1234567890123456789:", 0, 0, 0, false},
		{"b2:1:2:3:", 0, 0, 0, false},
	} {
		publisher, seq, at, ok := measure.ParsePayload([]byte(c.data))
		if publisher != c.publisher || seq != c.seq || at != c.at || ok != c.ok {
			t.Errorf("%q: got %d %d %d %v, want %d %d %d %v", c.data, publisher, seq, at, ok, c.publisher, c.seq, c.at, c.ok)
		}
	}
}

func FuzzParsePayload(f *testing.F) {
	f.Add([]byte(`"b1:1:2:3:abc"`))
	f.Add([]byte("b1:b1:b1:1:2:3:"))
	f.Add(measure.AppendPayload(nil, 4095, 1<<31, 1<<59, 300))
	f.Fuzz(func(t *testing.T, data []byte) {
		publisher, seq, at, ok := measure.ParsePayload(data)
		if !ok {
			if publisher != 0 || seq != 0 || at != 0 {
				t.Fatalf("%q: nothing found, but %d %d %d", data, publisher, seq, at)
			}
			return
		}
		if publisher < 0 || seq < 0 || at < 0 {
			t.Fatalf("%q: negative: %d %d %d", data, publisher, seq, at)
		}
		again := measure.AppendPayload(nil, publisher, seq, at, len(data))
		if p, s, a, ok := measure.ParsePayload(again); !ok || p != publisher || s != seq || a != at {
			t.Fatalf("%q: %d %d %d came back as %d %d %d", data, publisher, seq, at, p, s, a)
		}
	})
}

func TestHotPathDoesNotAllocate(t *testing.T) {
	buffer := make([]byte, 0, 512)
	checker := measure.NewChecker(1, 1)
	recorder := measure.NewLatency(1).Shard(0)
	rate := measure.NewRate(0, 0)
	seq := 0
	if n := testing.AllocsPerRun(100, func() {
		seq++
		buffer = measure.AppendPayload(buffer[:0], 0, seq, 5, 200)
		publisher, number, at, _ := measure.ParsePayload(buffer)
		checker.Seen(0, publisher, number)
		recorder.Record(at)
		rate.Add(at, 1)
	}); n != 0 {
		t.Errorf("%v allocations for each delivery", n)
	}
}
