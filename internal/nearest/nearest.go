// Package nearest finds the word that somebody who mistyped one probably meant.
package nearest

import (
	"strings"

	"github.com/xrash/smetrics"
)

// Word is the candidate nearest to typed, "" when none is near: at most a third of its letters differ, and at least one is the same.
// Upper and lower case are alike, and of equally near candidates the first is taken.
func Word(typed string, candidates []string) string {
	return within(typed, candidates, func(candidate string) int { return min(max(len(candidate), 4)/3+1, len(candidate)-1) })
}

// Slip is Word for names that are long and much alike: at most two letters differ.
func Slip(typed string, candidates []string) string {
	return within(typed, candidates, func(candidate string) int { return min(2, len(candidate)-1) })
}

// within is the nearest candidate that is no farther than most says of it.
func within(typed string, candidates []string, most func(candidate string) int) string {
	best, distance := "", 0
	for _, candidate := range candidates {
		d := smetrics.WagnerFischer(strings.ToLower(typed), strings.ToLower(candidate), 1, 1, 1)
		if d > most(candidate) {
			continue
		}
		if best == "" || d < distance {
			best, distance = candidate, d
		}
	}
	return best
}

// Question is " Did you mean X?" for the nearest candidate, "" when none is near.
func Question(typed string, candidates []string) string {
	if word := Word(typed, candidates); word != "" {
		return " Did you mean " + word + "?"
	}
	return ""
}
