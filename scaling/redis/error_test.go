package redis_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"syscall"
	"testing"

	"reverb/scaling/redis"
)

func TestUnreached(t *testing.T) {
	refused := &net.OpError{Op: "dial", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
	for want, err := range map[string]error{
		"Redis at r:1 refuses connections: this node goes on alone and tries again":                                             refused,
		"Redis at r:1 cannot be found, no such host: this node goes on alone and tries again":                                   &net.OpError{Op: "dial", Err: &net.DNSError{Err: "no such host", Name: "r"}},
		"Redis at r:1 does not answer: this node goes on alone and tries again":                                                 context.DeadlineExceeded,
		"Redis at r:1 cannot be used, connect to redis: redis is older than version 6: this node goes on alone and tries again": errors.New("redis is older than version 6"),
	} {
		if got := redis.Unreached("r:1", fmt.Errorf("connect to redis: %w", err)); got != want {
			t.Errorf("%v: %s, want %s", err, got, want)
		}
	}
}
