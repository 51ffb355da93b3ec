//go:build !linux

package poller

import "github.com/cloudwego/netpoll"

// Vigil is for Linux.
type Vigil struct{}

// NewVigil returns nil.
func NewVigil() (*Vigil, error) { return nil, nil } //nolint:nilnil // nil is one

// Set does nothing.
func (v *Vigil) Set(bool) {}

func (v *Vigil) keep(netpoll.Poll) error { return nil }

func (v *Vigil) end() {}
