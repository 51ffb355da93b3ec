package main

import (
	"errors"
	"fmt"
	"net"
	"strings"
	"syscall"

	"reverb/doctor"
	"reverb/internal/console"
	"reverb/internal/listener"
)

// privileged is the first port that needs no right on a usual system.
const privileged = 1024

// withHint adds to the error of a port that cannot be opened what to do about it.
func withHint(err error) error {
	var failed *listener.Error
	if !errors.As(err, &failed) {
		return err
	}
	hint := listenHint(failed.Host, failed.Port, failed.Err)
	if hint == "" {
		return err
	}
	first, rest, more := strings.Cut(err.Error(), "\n")
	text := first + "\n" + hint
	if more {
		text += "\n" + rest
	}
	return errors.New(text)
}

func listenHint(host string, port int, err error) string {
	var lookup *net.DNSError
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return holder(port) + " Is `php artisan reverb:start`, or another `reverb start`, still running?"
	case errors.Is(err, syscall.EACCES) && port < privileged:
		return fmt.Sprintf("A port below %d needs a right: `setcap cap_net_bind_service=+ep` on this program, "+
			"AmbientCapabilities=CAP_NET_BIND_SERVICE in the unit of systemd, or a port like 8080 behind a proxy.", privileged)
	case errors.Is(err, syscall.EADDRNOTAVAIL), errors.As(err, &lookup):
		return host + " is no address of this machine. --host and REVERB_SERVER_HOST say where to listen: 0.0.0.0 for every address. " +
			"The public name belongs into --hostname or REVERB_HOST."
	}
	return ""
}

// holder names the process that has the port.
func holder(port int) string {
	pid, command := doctor.Listener(doctor.System(), port)
	switch {
	case pid == 0:
		return fmt.Sprintf("Another user's process has port %d (as root, `ss -ltnp` names it).", port)
	case command == "":
		return fmt.Sprintf("Process %d has port %d.", pid, port)
	}
	return fmt.Sprintf("Process %d has port %d: %s.", pid, port, console.Printable(command))
}
