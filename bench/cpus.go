package bench

import (
	"fmt"
	"strconv"
	"strings"
)

// maxCPU is the highest number of a core that may be named, as in the kernel's cpu_set_t.
const maxCPU = 1023

// parseCPUs reads a list of cores as taskset does: "0", "2-3,6". Empty is none.
func parseCPUs(text string) ([]int, error) {
	if text == "" {
		return nil, nil
	}
	var cpus []int
	for part := range strings.SplitSeq(text, ",") {
		low, high, ranged := strings.Cut(part, "-")
		if !ranged {
			high = low
		}
		from, err := strconv.Atoi(low)
		to, err2 := strconv.Atoi(high)
		if err != nil || err2 != nil || from < 0 || to < from || to > maxCPU {
			return nil, fmt.Errorf("%q is no list of cores such as 0 or 2-3,6", text)
		}
		for ; from <= to; from++ {
			cpus = append(cpus, from)
		}
	}
	return cpus, nil
}
