package phpnodes

import (
	"bytes"

	"reverb/protocol"
)

// appendPlain appends one valid JSON value without PHP's escapes, which another node of this program has only written for PHP nodes: the
// clients of all nodes of this program get an event of the API in the same bytes.
func appendPlain(dst, value []byte) []byte {
	for {
		start := bytes.IndexByte(value, '"')
		if start < 0 {
			return append(dst, value...)
		}
		end := stringEnd(value, start)
		dst = append(dst, value[:start]...)
		dst = appendPlainString(dst, value[start:end])
		value = value[end:]
	}
}

func appendPlainString(dst, quoted []byte) []byte {
	if bytes.IndexByte(quoted, '\\') < 0 {
		return append(dst, quoted...)
	}
	text, _ := protocol.Text(quoted)
	return protocol.AppendQuote(dst, string(text))
}
