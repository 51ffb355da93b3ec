//go:build !linux

package measure

import (
	"context"
	"errors"
)

// tree is a process by pid, which only Linux tells enough of.
type tree struct{}

func newTree(int) (*tree, error) {
	return nil, errors.New("a process is read by its pid on Linux only; give the address of its metrics")
}

func (*tree) name() string { return "" }

func (*tree) read(context.Context, bool) (Usage, error) { return Usage{}, errors.ErrUnsupported }
