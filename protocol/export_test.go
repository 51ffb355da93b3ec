package protocol

// SignedLine is the third line of the text that is signed.
func (q *Query) SignedLine(digest string) string { return string(q.appendSigned(nil, digest)) }
