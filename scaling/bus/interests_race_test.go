//go:build race

package bus_test

// interests is smaller under the race detector, which needs ten times the memory.
const interests = 50_000
