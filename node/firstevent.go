package node

import (
	"cmp"
	"net"
	"net/netip"
	"net/url"
	"path/filepath"
	"strconv"
)

// FirstEvent says how to see an event arrive: the page with the key and the address that are in force, which shows the
// command that publishes.
func (n *Node) FirstEvent(page string) string {
	key := ""
	for _, app := range n.cfg.Apps {
		if app.Enabled {
			key = app.Key
			break
		}
	}
	if key == "" {
		return ""
	}
	if whole, err := filepath.Abs(page); err == nil {
		page = whole
	}
	address := url.URL{Scheme: "file", Path: filepath.ToSlash(page), Fragment: key + "@" + n.pageAddress()}
	return "  Open " + address.String() + "\n" +
		"  and run the command that it shows in another terminal: the page shows the event.\n\n"
}

// pageAddress is where a browser on this machine finds the server: the port alone when that is all there is to say.
func (n *Node) pageAddress() string {
	host, port, err := net.SplitHostPort(n.address)
	if err != nil {
		return n.address
	}
	ip, err := netip.ParseAddr(host)
	here := err == nil && (ip.IsUnspecified() || ip == netip.AddrFrom4([4]byte{127, 0, 0, 1}))
	prefix := n.cfg.Server.Prefix()
	if _, numeric := strconv.Atoi(port); here && numeric == nil && !n.secure && prefix == "" {
		return port
	}
	if here {
		host = "127.0.0.1"
	}
	scheme := "ws"
	if n.secure {
		scheme, host = "wss", cmp.Or(n.cfg.Server.Hostname, host)
	}
	return scheme + "://" + net.JoinHostPort(host, port) + prefix
}
