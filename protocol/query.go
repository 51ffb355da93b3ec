package protocol

import (
	"cmp"
	"iter"
	"slices"
	"strings"
)

// param is one name=value of a query string, decoded the way PHP does.
type param struct {
	name  string // up to the bracket
	key   string // between the brackets, "" when there is nothing
	value string
	list  bool // the name had brackets
}

// Query is a query string as PHP reads it: each name once, in the order in which the names are signed. It is made in one parse, so that
// the text that is signed and the values that are read cannot differ.
type Query struct {
	values    []queryValue
	ambiguous bool
}

// queryValue is the value of one name, a list joined with commas.
type queryValue struct{ name, value string }

// ParseQuery reads a query string the way PHP does: "+" is a space; dots and spaces in a name become underscores; of a name that is there
// twice the last counts; x[]=1&x[]=2 is a list, whose value is joined with commas.
func ParseQuery(rawQuery string) Query {
	var q Query
	q.Read(rawQuery)
	return q
}

// Read is ParseQuery into the memory of q, whose parameters are gone. The values are parts of rawQuery where nothing in them was escaped.
func (q *Query) Read(rawQuery string) {
	var room [12]param // enough for the libraries, so that the parameters stay on the stack
	params := appendParams(room[:0], rawQuery)
	q.ambiguous = slices.ContainsFunc(params, isAmbiguous)
	slices.SortStableFunc(params, func(a, b param) int { return byName(a.name, b.name) })
	q.values = slices.Grow(q.values[:0], len(params))
	for len(params) > 0 {
		n := sameName(params)
		q.values = append(q.values, queryValue{params[0].name, joined(params[:n])})
		params = params[n:]
	}
}

// Reset forgets the parameters and keeps the memory for the next Read.
func (q *Query) Reset() {
	clear(q.values)
	q.values, q.ambiguous = q.values[:0], false
}

// Get returns the value of a name, and whether the query has it.
func (q *Query) Get(name string) (value string, ok bool) {
	for i := range q.values {
		if q.values[i].name == name {
			return q.values[i].value, true
		}
	}
	return "", false
}

// All yields every name and its value.
func (q *Query) All() iter.Seq2[string, string] {
	return func(yield func(name, value string) bool) {
		for _, v := range q.values {
			if !yield(v.name, v.value) {
				return
			}
		}
	}
}

// isAmbiguous reports whether the parameter could be signed as one thing and read as another. The signed text joins decoded names and values
// with "=" and "&": a name that holds either, or a value that holds "&", would read as two parameters there. Nobody has said what a list of
// signatures, keys or times means.
func isAmbiguous(p param) bool {
	return strings.ContainsAny(p.name, "&=") || strings.IndexByte(p.value, '&') >= 0 || p.list && isAuth(p.name)
}

// isAuth reports whether the name is one of those by which a request is authenticated.
func isAuth(name string) bool { return strings.HasPrefix(name, "auth_") || name == nameDigest }

// appendParams appends the parameters of a query string in their order.
func appendParams(dst []param, rawQuery string) []param {
	for rawQuery != "" {
		var pair string
		pair, rawQuery, _ = strings.Cut(rawQuery, "&")
		name, value, _ := strings.Cut(pair, "=")
		if p := parseName(name); p.name != "" {
			p.value = percentDecode(value)
			dst = append(dst, p)
		}
	}
	return dst
}

// parseName reads the name of a parameter. PHP: leading spaces and what follows a NUL are dropped; a
// bracket that is not closed becomes an underscore.
func parseName(raw string) param {
	name := percentDecode(raw)
	if !strings.ContainsAny(name, " .[\x00") {
		return param{name: name}
	}
	name, _, _ = strings.Cut(strings.TrimLeft(name, " "), "\x00")
	base, rest, bracket := strings.Cut(name, "[")
	if !bracket || base == "" {
		return param{name: underscores.Replace(base)}
	}
	end := strings.LastIndexByte(rest, ']')
	if end < 0 {
		return param{name: underscores.Replace(name)}
	}
	return param{name: underscores.Replace(base), key: rest[:end], list: true}
}

// underscores are for what PHP does not take in the name of a variable.
var underscores = strings.NewReplacer(" ", "_", ".", "_", "[", "_")

// percentDecode decodes %XX and "+"; a % that no two hex digits follow stands for itself.
func percentDecode(s string) string {
	if strings.IndexByte(s, '%') < 0 && strings.IndexByte(s, '+') < 0 {
		return s
	}
	var b strings.Builder
	b.Grow(len(s))
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '+':
			b.WriteByte(' ')
		case c == '%' && i+2 < len(s) && isHex(s[i+1]) && isHex(s[i+2]):
			b.WriteByte(unhex(s[i+1])<<4 | unhex(s[i+2]))
			i += 2
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

func isHex(c byte) bool { return isDigit(c) || 'a' <= c|0x20 && c|0x20 <= 'f' }

func unhex(c byte) byte {
	if isDigit(c) {
		return c - '0'
	}
	return c | 0x20 - 'a' + 10
}

// byName orders names as PHP's ksort: bytes, but names of digits only as numbers, which come first.
func byName(a, b string) int {
	an, bn := isNumeric(a), isNumeric(b)
	switch {
	case an && bn:
		x, y := strings.TrimLeft(a, "0"), strings.TrimLeft(b, "0")
		return cmp.Or(cmp.Compare(len(x), len(y)), strings.Compare(x, y), strings.Compare(a, b))
	case an:
		return -1
	case bn:
		return 1
	}
	return strings.Compare(a, b)
}

func isNumeric(name string) bool {
	for i := range len(name) {
		if !isDigit(name[i]) {
			return false
		}
	}
	return true
}

// sameName counts the parameters at the start of sorted params that share one name.
func sameName(params []param) int {
	n := 1
	for n < len(params) && params[n].name == params[0].name {
		n++
	}
	return n
}

// joined returns the value that PHP sees for parameters of one name, a list joined with commas.
func joined(params []param) string {
	last := params[len(params)-1]
	if len(params) == 1 || !last.list {
		return last.value
	}
	var values []string
	place := map[string]int{} // of keys in values
	for _, p := range params {
		if !p.list { // a plain value, which the list behind it replaces
			values = values[:0]
			clear(place)
			continue
		}
		if i, ok := place[p.key]; ok && p.key != "" {
			values[i] = p.value
			continue
		}
		place[p.key] = len(values)
		values = append(values, p.value)
	}
	return strings.Join(values, ",")
}
