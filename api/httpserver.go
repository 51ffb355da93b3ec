package api

import (
	"log/slog"
	"net/http"

	"reverb/config"
)

// NewHTTPServer is h with the limits of the configuration, ready to Serve the connections that are no WebSockets.
func NewHTTPServer(cfg *config.Config, h http.Handler, log *slog.Logger) *http.Server {
	limits := &cfg.Server.Limits
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	return &http.Server{
		Handler:           h,
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
