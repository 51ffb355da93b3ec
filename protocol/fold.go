package protocol

import (
	"unicode"
	"unicode/utf8"
)

// serverMembers are the members of a client event that the server sets or has judged.
var serverMembers = [...]string{"event", "channel", "channels", "data", "user_id"}

// isServerMember reports whether some reader may take name for one of serverMembers: not every JSON
// library tells names by their bytes. Go's folds the case, which makes ſ an s; others make ı and İ an i.
func isServerMember(name []byte) bool {
	for _, member := range serverMembers {
		if foldsTo(name, member) {
			return true
		}
	}
	return false
}

// foldsTo reports whether name is member, lower-case ASCII, when case does not count.
func foldsTo(name []byte, member string) bool {
	for i := range len(member) {
		r, size := utf8.DecodeRune(name)
		if size == 0 || foldRune(r) != rune(member[i]) {
			return false
		}
		name = name[size:]
	}
	return len(name) == 0
}

// foldRune returns the lower-case ASCII letter that r is a form of, else r.
func foldRune(r rune) rune {
	switch {
	case 'A' <= r && r <= 'Z':
		return r + 'a' - 'A'
	case r < utf8.RuneSelf:
		return r
	case r == 'ı', r == 'İ':
		return 'i'
	}
	for form := unicode.SimpleFold(r); form != r; form = unicode.SimpleFold(form) {
		if 'a' <= form && form <= 'z' {
			return form
		}
	}
	return r
}
