//go:build !linux

package measure

// readMachine knows nothing outside of Linux.
func readMachine() machineTime { return machineTime{} }
