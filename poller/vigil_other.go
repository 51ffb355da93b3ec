//go:build !linux

package poller

// Vigil is for Linux.
type Vigil struct{}

// NewVigil returns nil.
func NewVigil() (*Vigil, error) { return nil, nil } //nolint:nilnil // nil is one

// Set does nothing.
func (v *Vigil) Set(bool) {}

func (v *Vigil) keep(*loop) error { return nil }

func (v *Vigil) end() {}
