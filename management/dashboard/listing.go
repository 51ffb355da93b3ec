package dashboard

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
)

const (
	defaultRows = 50
	maxRows     = 200
	maxOffset   = 10_000 // who wants to see more narrows the search
	maxSearch   = 200    // bytes
)

// listing is what a page asks of a list.
type listing struct {
	search       string // lower case
	sort         string
	descending   bool
	offset, most int
}

// readListing takes the parameters; what is out of bounds is brought into them.
func readListing(r *http.Request) listing {
	number := func(name string, fallback, high int) int {
		n, err := strconv.Atoi(r.FormValue(name))
		if err != nil {
			n = fallback
		}
		return min(max(n, 0), high)
	}
	search := r.FormValue("q")
	return listing{
		search:     strings.ToLower(search[:min(len(search), maxSearch)]),
		sort:       r.FormValue("sort"),
		descending: r.FormValue("order") == "desc",
		offset:     number("offset", 0, maxOffset),
		most:       max(1, number("limit", defaultRows, maxRows)),
	}
}

// finds reports whether a text has what is searched for.
func (l *listing) finds(text string) bool {
	return l.search == "" || strings.Contains(strings.ToLower(text), l.search)
}

// top keeps the first rows of a list that may be far longer than what is kept of it.
type top[T any] struct {
	keep    int
	compare func(a, b T) int // as they are shown
	total   int              // rows that were added
	rows    []T
}

// newTop sorts by one column, upwards or downwards, and rows that are alike in it by another, always upwards.
func newTop[T any](l *listing, column, alike func(a, b T) int) *top[T] {
	sign := 1
	if l.descending {
		sign = -1
	}
	compare := func(a, b T) int {
		if c := column(a, b); c != 0 {
			return sign * c
		}
		return alike(a, b)
	}
	return &top[T]{keep: l.offset + l.most, compare: compare}
}

func (t *top[T]) add(row T) {
	t.total++
	t.rows = append(t.rows, row)
	if len(t.rows) >= 2*t.keep+1024 {
		t.cut()
	}
}

// cut sorts what is there and forgets what cannot be among the first.
func (t *top[T]) cut() {
	slices.SortFunc(t.rows, t.compare)
	if len(t.rows) > t.keep {
		clear(t.rows[t.keep:])
		t.rows = t.rows[:t.keep]
	}
}

// page is the rows after the first offset.
func (t *top[T]) page(offset int) []T {
	t.cut()
	return t.rows[min(offset, len(t.rows)):]
}
