//go:build !linux && !darwin && !freebsd

package management

import "errors"

func peerOf(int) (uid int, err error) { return -1, errors.ErrUnsupported }
