//go:build !race

package roster_test

const defaultSteps = 2_000_000
