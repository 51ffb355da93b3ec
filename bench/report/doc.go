// Package report holds the results of a load test and writes them: as a table for the terminal, JSON and CSV for programs, and one
// HTML page for people.
package report
