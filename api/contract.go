package api

// STUB of the exported contract; the owner of this package replaces this file with the files of the house.

import (
	"log/slog"
	"net/http"

	"reverb/config"
	"reverb/server"
)

// New is the HTTP API: every route of reverb.md 5, /up and /ready, and the answers to upgrade requests that the poller did not take.
func New(cfg *config.Config, s *server.Server, log *slog.Logger) http.Handler { panic("stub") }
