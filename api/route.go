package api

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"

	"github.com/go-chi/chi/v5"
)

// routed matches as Reverb does: the path is percent-decoded once, leading slashes count as one, the rest must be equal, case and
// trailing slash included. chi is told the path and not asked for the method.
func (a *api) routed(mux *chi.Mux) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path, ok := a.routePath(r)
		if !ok {
			notFound(w, r)
			return
		}
		rc := chi.NewRouteContext()
		rc.Routes, rc.RoutePath, rc.RouteMethod = mux, path, http.MethodGet
		mux.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), chi.RouteCtxKey, rc)))
	})
}

// routePath is the decoded path without the prefix. Not ok: nothing can match. A parameter never holds a slash, so neither an
// encoded one nor an empty parameter is a route.
func (a *api) routePath(r *http.Request) (string, bool) {
	if containsEncodedSlash(r.URL.RawPath) {
		return "", false
	}
	path := "/" + strings.TrimLeft(r.URL.Path, "/")
	path, ok := strings.CutPrefix(path, a.prefix)
	if !ok || !strings.HasPrefix(path, "/") || strings.Contains(path, "//") || strings.HasSuffix(path, "/") {
		return "", false
	}
	return path, true
}

func containsEncodedSlash(rawPath string) bool {
	return strings.Contains(rawPath, "%2F") || strings.Contains(rawPath, "%2f")
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
