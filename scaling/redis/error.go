package redis

import (
	"errors"
	"fmt"
	"net"
	"strings"
	"syscall"

	"github.com/redis/rueidis"
)

// noRight begins what Redis says, without a code, of a script that wants what its user may not do.
const noRight = "The user executing the script can't "

// Code is the code of an error: its first word, in capitals. Redis 6 puts a text of its own before what stopped a script.
func Code(text string) string {
	if rest, ok := strings.CutPrefix(text, "ERR Error running script"); ok {
		if i := strings.Index(rest, ": -"); i >= 0 {
			text = rest[i+len(": -"):]
		}
	}
	code, _, _ := strings.Cut(text, " ")
	switch {
	case strings.HasPrefix(text, noRight):
		return "NOPERM"
	case code != strings.ToUpper(code):
		return "ERR"
	}
	return code
}

// Passes says whether an error is one that passes: because the topology changed, or because the server is not ready.
func Passes(err *rueidis.RedisError) bool {
	switch Code(err.Error()) {
	case "MOVED", "ASK", "TRYAGAIN", "CLUSTERDOWN", "LOADING", "MASTERDOWN", "READONLY":
		return true
	}
	return false
}

// Unreached says in one sentence why a server could not be connected to, and that the node goes on.
func Unreached(addr string, err error) string {
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
