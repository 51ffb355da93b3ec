//go:build !linux

package bench

import (
	"errors"
	"os/exec"
)

var errCores = errors.New("a process is kept on chosen cores on Linux only")

func startOn(cmd *exec.Cmd, cpus []int) error {
	if len(cpus) > 0 {
		return errCores
	}
	return cmd.Start()
}

func pin(cpus []int) error {
	if len(cpus) > 0 {
		return errCores
	}
	return nil
}
