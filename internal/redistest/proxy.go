package redistest

import (
	"net"
	"sync"
	"testing"
)

// Proxy is a TCP proxy in front of a server.
type Proxy struct {
	// Addr is host:port.
	Addr string

	listener net.Listener
	tasks    sync.WaitGroup

	mu sync.Mutex
	// Guarded by mu.
	target string
	mode   int
	pairs  map[*pair]struct{}
}

const (
	healed = iota
	cut
	swallowing
)

// pair is one connection through the proxy; server is nil for one that was accepted while swallowing.
type pair struct {
	client, server net.Conn
	swallowed      bool // something did not get through: it is of no use any more
}

func (p *pair) close() {
	_ = p.client.Close()
	if p.server != nil {
		_ = p.server.Close()
	}
}

// NewProxy starts a proxy to the target address, which ends with the test.
func NewProxy(t testing.TB, target string) *Proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &Proxy{Addr: l.Addr().String(), listener: l, target: target, pairs: map[*pair]struct{}{}}
	p.tasks.Go(p.accept)
	t.Cleanup(func() {
		_ = l.Close()
		p.Cut()
		p.tasks.Wait()
	})
	return p
}

// Cut closes all connections and refuses new ones.
func (p *Proxy) Cut() { p.become(cut) }

// Blackhole keeps connections open and swallows what is sent both ways. New ones are accepted and stay silent.
func (p *Proxy) Blackhole() { p.become(swallowing) }

// Heal ends Cut and Blackhole. Swallowed bytes are lost, and its connections are closed.
func (p *Proxy) Heal() { p.become(healed) }

// Redirect has new connections go to another target. Those that there are stay.
func (p *Proxy) Redirect(target string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.target = target
}

func (p *Proxy) become(mode int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.mode = mode
	for c := range p.pairs {
		if mode == cut || mode == healed && (c.swallowed || c.server == nil) {
			c.close()
		}
	}
}

func (p *Proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		p.mu.Lock()
		mode, target := p.mode, p.target
		p.mu.Unlock()
		c := &pair{client: client}
		if mode == healed {
			if c.server, err = net.Dial("tcp", target); err != nil {
				mode = cut
			}
		}
		if mode == cut {
			_ = client.Close()
			continue
		}
		p.mu.Lock()
		p.pairs[c] = struct{}{}
		p.mu.Unlock()
		p.tasks.Go(func() { p.copy(c, c.client, c.server) })
		if c.server != nil {
			p.tasks.Go(func() { p.copy(c, c.server, c.client) })
		}
	}
}

// copy passes on what comes from src, unless it is to be swallowed.
func (p *Proxy) copy(c *pair, src, dst net.Conn) {
	defer func() {
		c.close()
		p.mu.Lock()
		delete(p.pairs, c)
		p.mu.Unlock()
	}()
	buf := make([]byte, 64<<10)
	for {
		n, err := src.Read(buf)
		if err != nil {
			return
		}
		p.mu.Lock()
		swallow := p.mode == swallowing || c.swallowed
		c.swallowed = swallow
		p.mu.Unlock()
		if swallow || dst == nil {
			continue
		}
		if _, err := dst.Write(buf[:n]); err != nil {
			return
		}
	}
}
