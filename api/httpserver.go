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
		Handler:           timed(h, limits.BodyTimeout),
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

// timed counts the body's time from the end of the head: ReadTimeout has begun with the head's.
func timed(h http.Handler, body time.Duration) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ContentLength != 0 {
			_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(body)) // every connection of ours can
		}
		h.ServeHTTP(w, r)
	})
}
