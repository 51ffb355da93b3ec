package node

import "testing"

func TestCollectorMakesRoomWhileBusy(t *testing.T) {
	const mib = 1 << 20
	c := collector{percent: gcPercent}
	cycles := uint64(0)
	for _, step := range []struct {
		name       string
		made, base uint64
		want       int
	}{
		{"nothing happens", 0, 2 * mib, gcPercent},
		{"a collection now and then", 3, 2 * mib, gcPercent},
		{"busy", 12, mib, 400},
		{"fewer collections because there is room", 3, 2 * mib, 200},
		{"a large heap has its room anyway", 3, 64 * mib, gcPercent},
		{"busy again", 4, 4 * mib, 100},
		{"a tiny heap", 5, 100, 400},
		{"calm", 0, 2 * mib, gcPercent},
		{"and calm it stays", 1, 2 * mib, gcPercent},
	} {
		cycles += step.made
		if got := c.next(cycles, step.base); got != step.want {
			t.Errorf("%s: %d %%, want %d", step.name, got, step.want)
		}
	}
}
