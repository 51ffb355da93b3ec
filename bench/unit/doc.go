// Package unit writes numbers with their units for people.
package unit
