package api

import (
	"log/slog"
	"net/http"
	"time"

	"reverb/config"
)

// NewHTTPServer is h with the limits of the configuration, ready to Serve the connections that are no WebSockets.
func NewHTTPServer(cfg *config.Config, h http.Handler, log *slog.Logger) *http.Server {
	limits := &cfg.Server.Limits
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	return &http.Server{
		Handler:           bounded(h, limits.BodyTimeout),
		Protocols:         protocols,
		ReadHeaderTimeout: limits.HandshakeTimeout,
		ReadTimeout:       limits.HandshakeTimeout + limits.BodyTimeout,
		// net/http counts it from the end of the head, so it has to cover the body's time as well as the answer's.
		WriteTimeout:   2 * limits.BodyTimeout,
		IdleTimeout:    limits.IdleTimeout,
		MaxHeaderBytes: limits.MaxHead,
		// OPTIONS * is answered by h as any other unknown path.
		DisableGeneralOptionsHandler: true,
		ErrorLog:                     slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
}

// bounded counts the body's time from the end of the head, for ReadTimeout has begun with the head's, and ends the connection after a chunked
// body: net/http does not tell whether there was a Content-Length too, by which a proxy in front might see another request behind
// it (RFC 9112 section 6.1).
func bounded(h http.Handler, body time.Duration) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ContentLength != 0 {
			_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(body)) // every connection of ours can
		}
		if len(r.TransferEncoding) > 0 {
			w.Header().Set("Connection", "close")
		}
		h.ServeHTTP(w, r)
	})
}
