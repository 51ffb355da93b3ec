// Package console writes to a terminal in the manner of Laravel's console, which the users of artisan know: labelled
// blocks, two-column lines, progress, and the records of a log.
package console
