package api

import (
	"errors"
	"io"
	"net/http"
	"os"

	"reverb/config"
)

// bodyLimit is how long the body of a request to an app may be: as max_request_size says, or as long as what the app's rules allow can be.
// They allow events of 10 KiB, and batches of them, which Reverb's 10,000 bytes do not hold.
func (a *API) bodyLimit(app *config.App) int64 {
	if app == nil || !app.Rules.PusherAnswers {
		return a.cfg.MaxRequestSize
	}
	// A character of two bytes may be written as an escape of six, in names and in data.
	const escaped, envelope = 3, 1 << 10 // bytes
	rules := &app.Rules
	event := escaped*(rules.MaxEventData+rules.MaxEventName) + envelope
	most := max(rules.MaxBatch, 1)*(event+escaped*rules.MaxChannelName) + rules.MaxPublishChannels*(escaped*rules.MaxChannelName+len(`"",`))
	return max(a.cfg.MaxRequestSize, int64(most))
}

// readBody reads the whole body, which may be as long as limit and no longer: a longer one is refused by its Content-Length, or when a
// chunked one passes the limit, before more of it is read. The body is in the memory of c.
func (a *API) readBody(c *call, r *http.Request, limit int64) *refusal {
	if r.ContentLength > limit {
		return errTooLarge
	}
	var err error
	c.buffer, err = appendAll(c.buffer[:0], io.LimitReader(r.Body, limit+1), r.ContentLength)
	switch {
	case err == nil && int64(len(c.buffer)) <= limit:
		c.body = c.buffer
		return nil
	case err == nil:
		return errTooLarge
	case errors.Is(err, os.ErrDeadlineExceeded):
		return refuse(http.StatusRequestTimeout, "Request timeout.")
	default:
		return refuse(http.StatusBadRequest, "Bad request.")
	}
}

var errTooLarge = refuse(http.StatusRequestEntityTooLarge, "Payload too large.")

// appendAll is io.ReadAll into dst; size is a hint, -1 when unknown. A claimed size is believed in steps, so that a head alone
// reserves little.
func appendAll(dst []byte, r io.Reader, size int64) ([]byte, error) {
	if want := int(min(size, keepBody)) + 1; cap(dst) < want {
		dst = make([]byte, 0, max(want, 512))
	}
	for {
		if len(dst) == cap(dst) {
			dst = append(dst, 0)[:len(dst)]
		}
		n, err := r.Read(dst[len(dst):cap(dst)])
		dst = dst[:len(dst)+n]
		if errors.Is(err, io.EOF) {
			return dst, nil
		}
		if err != nil {
			return dst, err
		}
	}
}
