package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"sync/atomic"

	"reverb/config"
	"reverb/doctor"
	"reverb/protocol"
)

// commandClient asks from where a client comes: "client SOCKET-ID" → "ok ADDRESS:PORT". `reverb doctor` learns so whether the server sees
// its clients or only the proxy in front; no page and no header tells it to the public.
const commandClient = "client"

// clientFinder answers commandClient. The zero value knows nobody; its methods may be called from any goroutine.
type clientFinder struct {
	find atomic.Pointer[func(socketID string) (netip.AddrPort, bool)]
}

// use says who knows the clients.
func (f *clientFinder) use(find func(socketID string) (netip.AddrPort, bool)) { f.find.Store(&find) }

// answer is the whole conversation.
func (f *clientFinder) answer(conn net.Conn, socketID string) {
	text := answerError + " there is no such client"
	if find := f.find.Load(); find != nil {
		if address, ok := (*find)(socketID); ok {
			text = answerOK + " " + address.String()
		}
	}
	_, _ = fmt.Fprintln(conn, text)
	_ = conn.Close()
}

// clientAddress is the address of a session as limits and logs see it.
func (n *node) clientAddress(socketID string) (netip.AddrPort, bool) {
	id, ok := protocol.ParseSocketID(socketID)
	if !ok {
		return netip.AddrPort{}, false
	}
	session := n.server.Session(id)
	if session == nil {
		return netip.AddrPort{}, false
	}
	return session.Describe().Address, true
}

// askClient asks the running server of a configuration.
func askClient(ctx context.Context, cfg *config.Config, environ []string, socketID string) (netip.AddrPort, error) {
	sockets := []controlTarget{{path: cfg.Server.ControlSocket, named: true}}
	if cfg.Server.ControlSocket == "" {
		sockets = findControls(strconv.Itoa(cfg.Server.Port), environ)
	}
	for _, socket := range sockets {
		conn, err := socket.dial()
		if err != nil {
			continue
		}
		address, err := converse(ctx, conn, socketID)
		_ = conn.Close()
		return address, err
	}
	return netip.AddrPort{}, doctor.ErrNotAsked
}

func converse(ctx context.Context, conn net.Conn, socketID string) (netip.AddrPort, error) {
	if deadline, ok := ctx.Deadline(); ok {
		_ = conn.SetDeadline(deadline)
	}
	if _, err := fmt.Fprintf(conn, "%s %s\n", commandClient, socketID); err != nil {
		return netip.AddrPort{}, fmt.Errorf("ask server: %w", err)
	}
	line, err := bufio.NewReaderSize(conn, controlLine).ReadSlice('\n')
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("read answer: %w", err)
	}
	word, rest, _ := strings.Cut(strings.TrimSpace(string(line)), " ")
	if word != answerOK {
		return netip.AddrPort{}, errors.New(rest)
	}
	return netip.ParseAddrPort(rest)
}
