//go:build linux

package measure

// ParseStat has a test of its own.
var ParseStat = parseStat
