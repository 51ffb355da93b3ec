//go:build !linux

package poller

import "github.com/cloudwego/netpoll"

// park is for Linux. Elsewhere loops wait in the kernel.
func park(netpoll.Poll) error { return nil }
