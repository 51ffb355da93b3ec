package unit_test

import (
	"math"
	"testing"
	"time"

	"reverb/bench/unit"
)

func TestHuman(t *testing.T) {
	for _, c := range []struct {
		value float64
		unit  string
		want  string
	}{
		{0, unit.Count, "0"},
		{7, unit.Count, "7"},
		{999, unit.Count, "999"},
		{1000, unit.Count, "1,000"},
		{-1234567, unit.Count, "-1,234,567"},
		{0.01234, unit.Count, "0.0123"},
		{1.2345, unit.Count, "1.23"},
		{12.345, unit.Count, "12.3"},
		{123.45, unit.Count, "123"},
		{9.999, unit.Count, "10.0"},
		{99.99, unit.Count, "100"},
		{163412.4, unit.PerSecond, "163,412 /s"},
		{12.3, unit.Percent, "12.3 %"},
		{0.5, "cores", "0.5 cores"},
		{2.1034, unit.Times, "2.1 ×"},
		{0.9999, unit.Times, "1.0 ×"},
		{0.1421, unit.Times, "0.14 ×"},
		{0, unit.Times, "0 ×"},
		{9.96, unit.Times, "10 ×"},
		{1234.5, unit.Times, "1,234 ×"},
		{0, unit.Nanoseconds, "0 ns"},
		{850, unit.Nanoseconds, "850 ns"},
		{1200, unit.Nanoseconds, "1.20 µs"},
		{999_600, unit.Nanoseconds, "1.00 ms"},
		{12_345_678, unit.Nanoseconds, "12.3 ms"},
		{60e9, unit.Nanoseconds, "60 s"},
		{3600e9, unit.Nanoseconds, "3,600 s"},
		{4812, unit.Processor, "4.81 µs"},
		{0.0015, unit.Seconds, "1.50 ms"},
		{30, unit.Seconds, "30 s"},
		{620, unit.Bytes, "620 B"},
		{71_303_168, unit.Bytes, "71.3 MB"},
		{-2e9, unit.Bytes, "-2 GB"},
		{5e15, unit.Bytes, "5,000 TB"},
		{math.NaN(), unit.Bytes, unit.Unknown},
		{math.Inf(-1), unit.PerSecond, unit.Unknown},
	} {
		if got := unit.Human(c.value, c.unit); got != c.want {
			t.Errorf("%v %q: got %q, want %q", c.value, c.unit, got, c.want)
		}
	}
}

func TestTime(t *testing.T) {
	if got := unit.Time(1500 * time.Microsecond); got != "1.50 ms" {
		t.Errorf("got %q", got)
	}
}

func TestShort(t *testing.T) {
	for _, c := range []struct {
		value float64
		unit  string
		want  string
	}{
		{0, unit.Seconds, "0"},
		{50e6, unit.Nanoseconds, "50 ms"},
		{5000, unit.PerSecond, "5,000 /s"},
		{200_000, unit.PerSecond, "200k /s"},
		{1_500_000, unit.PerSecond, "1.5M /s"},
		{10_000, unit.Count, "10,000"},
		{250_000, unit.Count, "250k"},
		{1.5, "cores", "1.5 cores"},
		{1000, "", "1,000"},
		{1.999, unit.Bytes, "2 B"},
	} {
		if got := unit.Short(c.value, c.unit); got != c.want {
			t.Errorf("%v %q: got %q, want %q", c.value, c.unit, got, c.want)
		}
	}
}

func FuzzHuman(f *testing.F) {
	f.Add(12.5, "ns")
	f.Add(math.SmallestNonzeroFloat64, "B")
	f.Add(-math.MaxFloat64, "/s")
	f.Fuzz(func(t *testing.T, value float64, in string) {
		if unit.Human(value, in) == "" || unit.Short(value, in) == "" {
			t.Errorf("%v %q: nothing", value, in)
		}
	})
}
