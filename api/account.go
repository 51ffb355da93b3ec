package api

import (
	"log/slog"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"reverb/internal/logging"
	"reverb/metrics"
	"reverb/protocol"
)

// complaintEvery is how often at most requests of one app that are refused for one cause are logged.
const complaintEvery = time.Minute

// exchange is what the metrics and the log tell of one request and its answer.
type exchange struct {
	route  metrics.Route
	app    string // label
	status int    // 0: there was no answer
	text   []byte // the beginning of a refusal
}

// answered notes the status of an answer.
func (e *exchange) answered(status int) {
	if e.status == 0 {
		e.status = status
	}
}

// said notes what a refusal says.
func (e *exchange) said(text []byte) {
	if e.status >= http.StatusBadRequest && len(e.text) < logging.MaxBrief {
		e.text = append(e.text, text[:min(len(text), logging.MaxBrief-len(e.text))]...)
	}
}

// observed is a ResponseWriter of net/http whose answer is accounted for.
type observed struct {
	http.ResponseWriter
	exchange exchange
}

func (o *observed) WriteHeader(status int) {
	o.exchange.answered(status)
	o.ResponseWriter.WriteHeader(status)
}

func (o *observed) Write(p []byte) (int, error) {
	o.exchange.answered(http.StatusOK)
	o.exchange.said(p)
	return o.ResponseWriter.Write(p)
}

// Unwrap is for http.ResponseController.
func (o *observed) Unwrap() http.ResponseWriter { return o.ResponseWriter }

// accounted has every answer of h counted, and refusals logged.
func (a *API) accounted(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		o := &observed{ResponseWriter: w}
		h.ServeHTTP(o, r)
		var client netip.AddrPort
		if o.exchange.status >= http.StatusBadRequest {
			client = a.client(r)
		}
		a.account(&o.exchange, request{r.Method, sentPath(r), r.URL.RawQuery}, client)
	})
}

// on says which route h answers, and for which app.
func (a *API) on(route metrics.Route, h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if o, ok := w.(*observed); ok {
			o.exchange.route = route
			if id := r.PathValue("appId"); id != "" {
				o.exchange.app = a.label(id)
			}
		}
		h.ServeHTTP(w, r)
	})
}

// label is that of an app in the metrics and in the log, where nothing stands that a caller made up.
func (a *API) label(id string) string {
	if app := a.server.App(id); app != nil {
		return app.ID
	}
	return metrics.Unknown
}

// account counts one answer. A refusal that somebody has to do something about is logged with what was refused, from where, and the likely
// reason, for Laravel shows the publisher an exception at best.
func (a *API) account(e *exchange, r request, client netip.AddrPort) {
	if e.status == 0 {
		return // the connection is a WebSocket's now
	}
	a.metrics.Request(e.app, e.route, e.status)
	if e.status < http.StatusBadRequest {
		return
	}
	cause, ok := a.causeOf(e, r)
	if !ok {
		return
	}
	attrs := []slog.Attr{slog.String("app", e.app), logging.From(client), slog.Int("status", e.status),
		slog.String("reason", strings.ToValidUTF8(string(e.text), "?"))}
	message := "publish refused"
	if e.route != metrics.RouteEvents && e.route != metrics.RouteBatchEvents {
		message = "request refused"
		attrs = append(attrs, slog.String("path", logging.Brief(r.path)))
	}
	if cause.parameter != "" {
		query := protocol.ParseQuery(r.rawQuery)
		given, _ := query.Get(cause.parameter)
		attrs = append(attrs, slog.String(cause.parameter, logging.Brief(given)))
	}
	a.complaints.Log(slog.LevelWarn, e.app+" "+cause.name, message, append(attrs, slog.String("hint", cause.hint))...)
}
