package management

import (
	"errors"
	"io/fs"
	"net"
	"path/filepath"
)

// Target is a place where a command looks for a server.
type Target struct {
	path    string
	named   bool  // by the configuration, which may name the socket of another user's server
	refused error // not nil: why nothing at the place is believed
}

// dial connects to the server, if it is one that may be believed: see trust.
func (t Target) dial() (net.Conn, error) {
	if t.refused != nil {
		return nil, UntrustedError{t.refused}
	}
	named := ""
	if t.named {
		named = t.path
	} else if err := ours().socket(t.path); errors.Is(err, fs.ErrNotExist) {
		return nil, err
	} else if err != nil {
		return nil, UntrustedError{err}
	}
	conn, err := dial(t.path)
	if err != nil {
		return nil, err
	}
	if err := ours().peer(conn, named); err != nil {
		_ = conn.Close()
		return nil, UntrustedError{err}
	}
	return conn, nil
}

// UntrustedError is the error of a place where another user may have put what is there.
type UntrustedError struct{ Reason error }

func (u UntrustedError) Error() string { return "not asked: " + u.Reason.Error() }

// Named is the socket that the configuration names.
func Named(path string) Target { return Target{path: path, named: true} }

// String is the path.
func (t Target) String() string { return t.path }

// Targets lists the sockets of our own user at the default places: those of one port, or of every port when port is
// "*". A place that another user may have made is in the list too, with the reason why it is refused.
func Targets(port string, environ []string) []Target {
	var found []Target
	for _, dir := range folders(environ) {
		if err := ours().folder(dir); errors.Is(err, fs.ErrNotExist) {
			continue
		} else if err != nil {
			found = append(found, Target{path: dir, refused: err})
			continue
		}
		matches, err := filepath.Glob(filepath.Join(dir, fileName(port)))
		if err != nil {
			continue
		}
		for _, path := range matches {
			found = append(found, Target{path: path})
		}
	}
	return found
}
