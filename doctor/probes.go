package doctor

import (
	"context"
	"crypto/x509"
	"errors"
	"net"
	"net/netip"
	"os"
	"strings"
	"time"

	"reverb/config"
)

// Probes are how the doctor looks at the world. System has those of this machine; tests bring their own. All are
// required but Roots.
type Probes struct {
	ReadFile func(name string) ([]byte, error)
	ReadDir  func(name string) ([]string, error) // names of the entries
	Readlink func(name string) (string, error)
	Now      func() time.Time

	// Dial connects over TCP, from the address local unless that is nil, or to a Unix socket when the address is a
	// path.
	Dial func(ctx context.Context, local *net.TCPAddr, address string) (net.Conn, error)

	// KeyPair says what is wrong with the certificate, key and passphrase that the server would load.
	KeyPair func(cert, key, passphrase string) error

	// ClientAddress asks the running server from where it thinks that one of its clients comes. ErrNotAsked: there is
	// no way to ask.
	ClientAddress func(ctx context.Context, socketID string) (netip.AddrPort, error)

	// Signal looks into the site's cache for Laravel's restart signal.
	Signal func(ctx context.Context, cache config.Cache) (Signal, error)

	Roots *x509.CertPool // authorities to trust; nil = those of the system
}

// ErrNotAsked says that the running server could not be asked.
var ErrNotAsked = errors.New("the running server cannot be asked")

// System are the probes of this machine. KeyPair, Signal and ClientAddress are the caller's to set.
func System() Probes {
	return Probes{
		ReadFile: os.ReadFile,
		ReadDir: func(name string) ([]string, error) {
			dir, err := os.Open(name)
			if err != nil {
				return nil, err
			}
			defer func() { _ = dir.Close() }()
			return dir.Readdirnames(-1)
		},
		Readlink: os.Readlink,
		Now:      time.Now,
		Dial: func(ctx context.Context, local *net.TCPAddr, address string) (net.Conn, error) {
			d := net.Dialer{}
			if local != nil {
				d.LocalAddr = local
			}
			if strings.HasPrefix(address, "/") {
				return d.DialContext(ctx, "unix", address)
			}
			return d.DialContext(ctx, "tcp", address)
		},
		Signal:  noSignal,
		KeyPair: func(string, string, string) error { return nil },
		ClientAddress: func(context.Context, string) (netip.AddrPort, error) {
			return netip.AddrPort{}, ErrNotAsked
		},
	}
}
