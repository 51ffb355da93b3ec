package api

import (
	"io"
	"net/http"
	"strconv"

	"reverb/config"
	"reverb/protocol"
	"reverb/server"
)

// Header values shared by all answers; net/http only reads them.
var (
	jsonContentType = []string{"application/json"}
	textContentType = []string{"text/plain; charset=utf-8"}
	cacheControl    = []string{"no-cache, private"}
	nosniff         = []string{"nosniff"}
	varyOrigin      = []string{"Origin"}
)

// The answers that only report success.
const (
	emptyObject = `{}`
	emptyBatch  = `{"batch":{}}`
)

// shortLengths are the values of Content-Length for the short bodies, which nearly all publishes are answered with.
var shortLengths = func() (values [16][]string) {
	for n := range values {
		values[n] = []string{strconv.Itoa(n)}
	}
	return values
}()

func contentLength(n int) []string {
	if n < len(shortLengths) {
		return shortLengths[n]
	}
	return []string{strconv.Itoa(n)}
}

// refusal is an answer of one line of text instead of what was asked for; nil is none.
type refusal struct {
	status int
	text   string
}

func refuse(status int, text string) *refusal { return &refusal{status, text} }

func (e *refusal) write(w http.ResponseWriter) { writeText(w, e.status, e.text) }

// writeJSON answers with a finished body.
func writeJSON(w http.ResponseWriter, status int, body []byte) {
	writeJSONHead(w, status, len(body))
	_, _ = w.Write(body) // a caller that is gone needs no answer
}

// writeJSONString is writeJSON of a constant.
func writeJSONString(w http.ResponseWriter, status int, body string) {
	writeJSONHead(w, status, len(body))
	_, _ = io.WriteString(w, body) // as above
}

func writeJSONHead(w http.ResponseWriter, status, length int) {
	h := w.Header()
	h["Content-Type"] = jsonContentType
	h["Cache-Control"] = cacheControl
	h["Content-Length"] = contentLength(length)
	w.WriteHeader(status)
}

// tellReach adds a header to an answer that not all nodes have a part in.
func tellReach(w http.ResponseWriter, reach server.Reach) {
	if reach.Partial() {
		w.Header().Set("Reverb-Partial", "nodes="+strconv.Itoa(reach.Answered)+"/"+strconv.Itoa(reach.Asked))
	}
}

// writeText answers with one line, without a line end, as Reverb does.
func writeText(w http.ResponseWriter, status int, line string) {
	h := w.Header()
	h["Content-Type"] = textContentType
	h["X-Content-Type-Options"] = nosniff
	h["Content-Length"] = []string{strconv.Itoa(len(line))}
	w.WriteHeader(status)
	_, _ = io.WriteString(w, line) // as above
}

func internalError(w http.ResponseWriter) {
	writeText(w, http.StatusInternalServerError, "Internal server error.")
}

// maxFieldErrors bounds the answer to a batch whose every item is wrong: such an answer is much larger than the request.
const maxFieldErrors = 100

// fieldErrors is Laravel's map of field to messages, in the order found. The zero value is empty.
type fieldErrors []fieldError

type fieldError struct{ field, message string }

// add records a message of a field: the field's name in the message has spaces where the key has underscores.
func (e *fieldErrors) add(field, message string) {
	if len(*e) < maxFieldErrors {
		*e = append(*e, fieldError{field, message})
	}
}

func (e fieldErrors) full() bool { return len(e) >= maxFieldErrors }

// write answers 422 as Reverb does, or 400 as Pusher does for whatever is wrong with an event.
func (e fieldErrors) write(w http.ResponseWriter, rules *config.Rules) {
	status := http.StatusUnprocessableEntity
	if rules.StrictNames {
		status = http.StatusBadRequest
	}
	body := []byte{'{'}
	for i, f := range e {
		if i > 0 {
			body = append(body, ',')
		}
		body = protocol.AppendQuote(body, f.field)
		body = append(body, ":["...)
		body = protocol.AppendQuote(body, f.message)
		body = append(body, ']')
	}
	writeJSON(w, status, append(body, '}'))
}
