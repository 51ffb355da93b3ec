package bus

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"syscall"

	"github.com/redis/rueidis"
)

// unreached says in one sentence why a server could not be connected to, and that the node goes on.
func unreached(addr string, err error) string {
	const alone = ": this node goes on alone and tries again"
	var lookup *net.DNSError
	var network net.Error
	refusal, refused := errors.AsType[*rueidis.RedisError](err)
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return "Redis at " + addr + " refuses connections" + alone
	case errors.As(err, &lookup):
		return "Redis at " + addr + " cannot be found, " + lookup.Err + alone
	case errors.As(err, &network) && network.Timeout():
		return "Redis at " + addr + " does not answer" + alone
	case refused && strings.HasPrefix(refusal.Error(), "NOAUTH"):
		return "Redis at " + addr + " wants a password" + alone
	case refused && strings.HasPrefix(refusal.Error(), "WRONGPASS"):
		return "Redis at " + addr + " knows another user or password" + alone
	case refused:
		return fmt.Sprintf("Redis at %s answers %q%s", addr, refusal.Error(), alone)
	}
	return "Redis at " + addr + " cannot be used, " + err.Error() + alone
}

// unreachable logs it, with one throttle for each server.
func (d *drops) unreachable(addr string, err error) {
	d.log.Log(slog.LevelWarn, "connect "+addr, unreached(addr, err))
}
