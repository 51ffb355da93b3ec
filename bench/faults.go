package bench

import (
	"fmt"
	"maps"
	"slices"
	"sync"
)

// maxFaults bounds the kinds of faults that are told apart.
const maxFaults = 20

// faults are what went wrong, each kind once with its count. The zero value is ready; any goroutine may add.
type faults struct {
	mu    sync.Mutex
	kinds map[string]int // guarded by mu
	more  int            // guarded by mu: those beyond maxFaults kinds
}

func (f *faults) add(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.kinds == nil {
		f.kinds = map[string]int{}
	}
	if f.kinds[text] == 0 && len(f.kinds) == maxFaults {
		f.more++
		return
	}
	f.kinds[text]++
}

// list is one line for each kind.
func (f *faults) list() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	var lines []string
	for _, text := range slices.Sorted(maps.Keys(f.kinds)) {
		if n := f.kinds[text]; n > 1 {
			text = fmt.Sprintf("%s (%d times)", text, n)
		}
		lines = append(lines, text)
	}
	if f.more > 0 {
		lines = append(lines, fmt.Sprintf("%d more of other kinds", f.more))
	}
	return lines
}
