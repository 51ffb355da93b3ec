package measure

import (
	"os"
	"strconv"
	"strings"
)

// readMachine reads the first line of /proc/stat, see proc_stat(5): user, nice, system, idle, iowait, irq, softirq, steal. In a
// container these are the host's.
func readMachine() machineTime {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return machineTime{}
	}
	line, _, _ := strings.Cut(string(text), "\n")
	fields := strings.Fields(line)
	if len(fields) < 9 {
		return machineTime{}
	}
	var m machineTime
	for i, word := range fields[1:9] {
		n, _ := strconv.ParseInt(word, 10, 64)
		if i == 3 || i == 4 {
			m.idle += n
		} else {
			m.busy += n
		}
	}
	return m
}
