package measure

import (
	"path"
	"strings"
)

// command shortens a command line (words end with a zero byte, or a space where the process has written it anew) to what names the
// product: no paths, and nothing from the first option on, for options may carry secrets and reports are shown around.
func command(line []byte) string {
	var words []string
	for word := range strings.FieldsFuncSeq(string(line), func(r rune) bool { return r == 0 || r == ' ' }) {
		if strings.HasPrefix(word, "-") || len(words) == 4 {
			break
		}
		words = append(words, path.Base(word))
	}
	return strings.Join(words, " ")
}
