//go:build !unix

package node

import "log/slog"

// raiseFileLimit does nothing: there is no such limit here.
func raiseFileLimit(*slog.Logger) {}
