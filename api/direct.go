package api

import (
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"reverb/metrics"
)

// Direct answers the requests that a busy site sends most, its publishes, without net/http: target is the raw target of
// a POST whose whole body is at hand, and client whom it came from. The answer is a whole HTTP/1.1 answer that keeps
// the connection, the one that Handler would give; nil leaves the request to that handler. It never waits, so an event
// loop may call it, and it keeps nothing of its arguments.
func (a *API) Direct(target, body []byte, client netip.AddrPort) []byte {
	path, query, _ := strings.Cut(view(target), "?")
	id, batch, ok := publishRoute(path, a.prefix)
	if !ok || int64(len(body)) > a.cfg.MaxRequestSize {
		return nil
	}
	w, _ := directWriters.Get().(*directWriter)
	defer w.release()
	r := request{http.MethodPost, path, query}
	if !a.publishDirectly(w, id, batch, r, body) {
		return nil
	}
	if len(a.cfg.CORSOrigins) > 0 {
		w.header["Vary"] = varyOrigin // not for this caller, who sent no Origin, but for caches
	}
	w.exchange = exchange{route: metrics.RouteEvents, app: a.label(id), status: w.status}
	if batch {
		w.exchange.route = metrics.RouteBatchEvents
	}
	w.exchange.said(w.body)
	if w.status >= http.StatusBadRequest {
		r = request{r.method, strings.Clone(r.path), strings.Clone(r.rawQuery)} // the log may keep parts of them
	}
	a.account(&w.exchange, r, client)
	return a.finish(w, time.Now())
}

// publishRoute takes the plain form of the two publish routes apart. Whatever is escaped, doubled or otherwise unusual
// is no plain form.
func publishRoute(path, prefix string) (appID string, batch, ok bool) {
	rest, ok := strings.CutPrefix(path, prefix)
	if !ok {
		return "", false, false
	}
	rest, ok = strings.CutPrefix(rest, "/apps/")
	id, route, _ := strings.Cut(rest, "/")
	if !ok || !plainID(id) || id == "." || id == ".." {
		return "", false, false
	}
	return id, route == "batch_events", route == "events" || route == "batch_events"
}

// plainID reports whether id is the same escaped and not.
func plainID(id string) bool {
	for _, ch := range []byte(id) {
		switch {
		case 'a' <= ch && ch <= 'z', 'A' <= ch && ch <= 'Z', '0' <= ch && ch <= '9', ch == '-', ch == '_', ch == '.':
		default:
			return false
		}
	}
	return id != ""
}

// publishDirectly reports whether w has the answer. It has none, and nothing was published, when giving it could mean
// to wait.
func (a *API) publishDirectly(w *directWriter, appID string, batch bool, r request, body []byte) (answered bool) {
	defer func() {
		if v := recover(); v != nil {
			logPanic(a.log, r.method, strings.Clone(r.path), v)
			w.reset()
			internalError(w)
			answered = true
		}
	}()
	c := &w.call
	c.body, c.mustNotWait = body, true
	if refused := a.authorize(c, appID, r); refused != nil {
		refused.write(w)
		return true
	}
	if batch {
		a.batchEvents(w, &noRequest, c)
	} else {
		a.events(w, &noRequest, c)
	}
	return w.status != 0
}

// noRequest stands where a handler wants a request of net/http; it is asked for its context and nothing else.
var noRequest http.Request

// directWriters are reused because their header maps are.
var directWriters = sync.Pool{New: func() any { return &directWriter{header: make(http.Header, 4)} }}

// directWriter takes an answer that is written in one piece.
type directWriter struct {
	header http.Header
	status int // 0: none was written
	body   []byte

	exchange exchange // when it is written
	call     call     // that it answers
}

func (w *directWriter) Header() http.Header { return w.header }

func (w *directWriter) WriteHeader(status int) { w.status = status }

func (w *directWriter) Write(p []byte) (int, error) {
	w.body = append(w.body, p...)
	return len(p), nil
}

// WriteString is what io.WriteString looks for.
func (w *directWriter) WriteString(s string) (int, error) {
	w.body = append(w.body, s...)
	return len(s), nil
}

func (w *directWriter) reset() {
	clear(w.header)
	w.status, w.body = 0, w.body[:0]
}

func (w *directWriter) release() {
	w.reset()
	if w.call.reset() && cap(w.body) <= keepBody {
		directWriters.Put(w)
	}
}

// directHeaders are all that the handlers of publishes set, in the order in which net/http writes them.
var directHeaders = []string{"Cache-Control", "Content-Length", "Content-Type", "Retry-After", "Vary", "X-Content-Type-Options"}

// finished is a whole answer that was given in a second of the clock, for those that are the same but for their date.
type finished struct {
	second int64
	answer []byte
}

// finish makes the answer of w. Nearly all publishes succeed and are answered alike: these share an answer for as long
// as its date is true.
func (a *API) finish(w *directWriter, now time.Time) []byte {
	var last *atomic.Pointer[finished]
	switch {
	case w.status != http.StatusOK:
		return w.answer(now)
	case string(w.body) == emptyObject:
		last = &a.emptyObject
	case string(w.body) == emptyBatch:
		last = &a.emptyBatch
	default:
		return w.answer(now)
	}
	if f := last.Load(); f != nil && f.second == now.Unix() {
		return f.answer
	}
	f := &finished{now.Unix(), w.answer(now)}
	last.Store(f)
	return f.answer
}

// answer is the answer that net/http would send.
func (w *directWriter) answer(now time.Time) []byte {
	const around = 256 // bytes of the head
	b := make([]byte, 0, around+len(w.body))
	b = append(b, "HTTP/1.1 "...)
	b = strconv.AppendInt(b, int64(w.status), 10)
	b = append(b, ' ')
	b = append(b, http.StatusText(w.status)...)
	for _, name := range directHeaders {
		if values := w.header[name]; len(values) > 0 {
			b = append(append(append(append(b, "\r\n"...), name...), ": "...), values[0]...)
		}
	}
	b = append(b, "\r\nDate: "...)
	b = now.UTC().AppendFormat(b, http.TimeFormat)
	return append(append(b, "\r\n\r\n"...), w.body...)
}
