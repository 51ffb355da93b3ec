//go:build race

package roster_test

const defaultSteps = 50_000 // under the race detector a step takes ten times as long
