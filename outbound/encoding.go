package outbound

// Encoding is a form in which connections take their messages. Two encodings are the same when their pointers are.
type Encoding struct {
	appendJSON func(dst, json []byte) []byte // nil for TextFrame, whose messages are encoded already
}

// TextFrame is the encoding of a WebSocket without extensions.
var TextFrame = new(Encoding)

// NewEncoding makes an encoding of a function that appends a message, given as its JSON, to the messages before it. The
// function may be called from many goroutines and must not keep or change its arguments.
func NewEncoding(appendJSON func(dst, json []byte) []byte) *Encoding {
	return &Encoding{appendJSON: appendJSON}
}

// Append appends messages in the encoding.
func (e *Encoding) Append(dst []byte, messages ...Message) []byte {
	for _, m := range messages {
		dst = e.appendMessage(dst, m)
	}
	return dst
}

func (e *Encoding) appendMessage(dst []byte, m Message) []byte {
	if e.appendJSON == nil {
		return append(dst, m.frame...)
	}
	return e.appendJSON(dst, m.JSON())
}
