//go:build !race

package bus_test

// interests is how many subscriptions the test of a large node has.
const interests = 1_000_000
