package unit

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// Units that have a form of their own; any other is written behind the number.
const (
	Bytes       = "B"      // 1.2 MB
	Nanoseconds = "ns"     // 1.2 ms
	Processor   = "ns cpu" // 1.2 µs of processor time
	Seconds     = "s"      // 1.2 s
	PerSecond   = "/s"     // 12,345 /s
	Percent     = "%"      // 12.3 %, the value is 12.3
	Times       = "×"      // 2.1 ×, how many times as much
	Count       = ""       // 12,345
)

// Unknown stands for a value that is no number.
const Unknown = "–"

// Human writes a value with its unit for people: three digits that matter, thousands apart, "1.23 ms", "12,345 /s".
func Human(value float64, unit string) string {
	if math.IsNaN(value) || math.IsInf(value, 0) {
		return Unknown
	}
	switch unit {
	case Nanoseconds, Processor:
		return scaled(value, "ns", "µs", "ms", "s")
	case Seconds:
		return scaled(value*1e9, "ns", "µs", "ms", "s")
	case Bytes:
		return scaled(value, "B", "kB", "MB", "GB", "TB")
	case Times:
		return ratio(value) + " ×"
	case Count:
		return number(value)
	}
	return number(value) + " " + unit
}

// Time writes a duration as Human does.
func Time(d time.Duration) string { return Human(float64(d), Nanoseconds) }

// Short writes a value for the side of a chart, where there is little room: "0", "50 ms", "200k /s".
func Short(value float64, unit string) string {
	switch {
	case value == 0:
		return "0"
	case unit == PerSecond && math.Abs(value) >= 10_000:
		return trim(scaled(value, "", "k", "M", "G")) + " " + unit
	case unit == Count && math.Abs(value) >= 100_000:
		return trim(scaled(value, "", "k", "M", "G"))
	}
	return trim(Human(value, unit))
}

// trim drops zeros at the end of a fraction: 1.50 MB is 1.5 MB.
func trim(text string) string {
	end := strings.IndexFunc(text, func(r rune) bool { return !strings.ContainsRune("-.,0123456789", r) })
	if end < 0 {
		end = len(text)
	}
	digits := text[:end]
	if strings.Contains(digits, ".") {
		digits = strings.TrimRight(strings.TrimRight(digits, "0"), ".")
	}
	return digits + text[end:]
}

// scaled picks the largest unit that leaves one whole digit; each is a thousand of the one before.
func scaled(value float64, units ...string) string {
	last := len(units) - 1
	i := 0
	for i < last && round3(math.Abs(value)) >= 1000 {
		value /= 1000
		i++
	}
	if i == 0 && value == math.Trunc(value) {
		return separated(strconv.FormatFloat(value, 'f', 0, 64)) + " " + units[0]
	}
	if len(units[i]) == 1 && units[0] == "" { // a letter for thousands stands close
		return number(value) + units[i]
	}
	return number(value) + " " + units[i]
}

// number writes a number with at least three digits that matter: 0.0123, 1.23, 12.3, 123, 12,345. Whole numbers have no fraction.
func number(v float64) string {
	switch size := math.Abs(v); {
	case v == math.Trunc(v) && size < 1e15:
		return separated(strconv.FormatFloat(v, 'f', 0, 64))
	case round3(size) >= 100:
		return separated(strconv.FormatFloat(v, 'f', 0, 64))
	case round3(size) >= 10:
		return strconv.FormatFloat(v, 'f', 1, 64)
	case round3(size) >= 1:
		return strconv.FormatFloat(v, 'f', 2, 64)
	default:
		return strconv.FormatFloat(v, 'g', 3, 64)
	}
}

// ratio writes a ratio of two measurements, of which no more than two digits mean anything.
func ratio(v float64) string {
	switch size := math.Abs(v); {
	case size >= 9.95:
		return separated(strconv.FormatFloat(v, 'f', 0, 64))
	case size >= 0.995:
		return strconv.FormatFloat(v, 'f', 1, 64)
	default:
		return strconv.FormatFloat(v, 'g', 2, 64)
	}
}

// round3 keeps three digits, so that 999.7 is written as 1,000 of its unit and not in four digits of the smaller one.
func round3(v float64) float64 {
	if v == 0 {
		return 0
	}
	grain := math.Pow(10, math.Floor(math.Log10(v))-2)
	return math.Round(v/grain) * grain
}

// separated puts commas between thousands.
func separated(digits string) string {
	sign := ""
	if strings.HasPrefix(digits, "-") {
		sign, digits = "-", digits[1:]
	}
	var b strings.Builder
	for i, c := range digits {
		if i > 0 && (len(digits)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteRune(c)
	}
	return sign + b.String()
}
