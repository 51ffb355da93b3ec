package api

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"runtime/debug"
	"strings"

	"github.com/go-chi/chi/v5"

	"reverb/server"
)

// routed matches the path as it was sent, because a rule of a proxy in front sees that: each route has one spelling, case and slashes
// included, and only the name of a channel and the id of a user may be escaped. (Reverb decodes the path before it matches.) chi is told the
// path and not asked for the method.
func (a *API) routed(mux *chi.Mux) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path, ok := a.routePath(sentPath(r))
		if !ok {
			notFound(w, r)
			return
		}
		rc := chi.NewRouteContext()
		rc.Routes, rc.RoutePath, rc.RouteMethod = mux, path, http.MethodGet
		mux.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), chi.RouteCtxKey, rc)))
	})
}

// sentPath is the path of the request's target, byte for byte; "" when it has none.
func sentPath(r *http.Request) string {
	path, _, _ := strings.Cut(r.RequestURI, "?")
	if strings.HasPrefix(path, "/") {
		return path
	}
	_, rest, _ := strings.Cut(path, "://") // the absolute form; RFC 9112 section 3.2.2
	slash := strings.IndexByte(rest, '/')
	if slash < 0 {
		return ""
	}
	return rest[slash:]
}

// routePath is a path without the prefix. Not ok: nothing can match. No segment is empty, holds a slash, or is one that proxies take away.
func (a *API) routePath(sent string) (string, bool) {
	if _, ok := server.EndpointKey(a.prefix, sent); ok {
		sent = "/" + strings.TrimLeft(sent, "/")
	}
	path, ok := strings.CutPrefix(sent, a.prefix)
	if !ok || !strings.HasPrefix(path, "/") {
		return "", false
	}
	for segment := range strings.SplitSeq(path[1:], "/") {
		if decoded, ok := decodedSegment(segment); !ok || decoded == "" {
			return "", false
		}
	}
	return path, true
}

// decodedSegment is one segment of a path without its escapes. Not ok: it is none in any path.
func decodedSegment(segment string) (string, bool) {
	decoded, err := url.PathUnescape(segment)
	return decoded, err == nil && decoded != "." && decoded != ".." && strings.IndexByte(decoded, '/') < 0
}

// pathName is the channel or user that the path names.
func pathName(r *http.Request, parameter string) string {
	name, _ := decodedSegment(r.PathValue(parameter)) // routePath has seen it
	return name
}

func get(h http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			methodNotAllowed(w, http.MethodGet)
			return
		}
		h(w, r)
	})
}

func post(h http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost {
			methodNotAllowed(w, http.MethodPost)
			return
		}
		h(w, r)
	})
}

func notFound(w http.ResponseWriter, _ *http.Request) {
	writeText(w, http.StatusNotFound, "Not found.")
}

func methodNotAllowed(w http.ResponseWriter, allowed string) {
	w.Header().Set("Allow", allowed)
	writeText(w, http.StatusMethodNotAllowed, "Method not allowed.")
}

// recoverPanics answers 500 to a request whose handler panicked; the process and the other requests go on.
func recoverPanics(next http.Handler, log *slog.Logger) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			v := recover()
			if v == nil {
				return
			}
			if err, ok := v.(error); ok && errors.Is(err, http.ErrAbortHandler) {
				panic(v) // net/http cuts the connection without a word
			}
			logPanic(log, r.Method, r.URL.Path, v)
			internalError(w)
		}()
		next.ServeHTTP(w, r)
	})
}

func logPanic(log *slog.Logger, method, path string, cause any) {
	log.Error("panic in an HTTP handler", "method", method, "path", path, "err", cause, "stack", string(debug.Stack()))
}
