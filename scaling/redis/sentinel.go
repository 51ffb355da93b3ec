package redis

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"sync"
	"time"

	"github.com/redis/rueidis"
)

// SentinelTimeout is how long a sentinel may take: the others are asked at the same time, but all are waited for.
const SentinelTimeout = time.Second

// Sentinels are asked for one master, on connections that are kept. It is not safe for use by several goroutines at once.
type Sentinels struct {
	master string
	dialer Dialer
	peers  []*sentinel
}

// sentinel is one of them. It is owned by the goroutine that asks it.
type sentinel struct {
	addr string
	link *Link // nil: not connected yet
}

// NewSentinels makes those that watch the master of this name, not connected yet.
func NewSentinels(master string, addrs []string, d Dialer) *Sentinels {
	w := &Sentinels{master: master, dialer: d}
	for _, addr := range addrs {
		w.peers = append(w.peers, &sentinel{addr: addr})
	}
	return w
}

// sighting is what one sentinel says of the master.
type sighting struct {
	addr  string
	epoch int64
	err   error
}

// Master finds the master: what the sentinel with the latest configuration says, so that one that was cut off from the others does not win.
func (w *Sentinels) Master(ctx context.Context) (Master, error) {
	all := make([]sighting, len(w.peers))
	var asking sync.WaitGroup
	for i, s := range w.peers {
		asking.Go(func() { all[i] = s.ask(ctx, w.master, w.dialer) })
	}
	asking.Wait()
	var failures []error
	best := sighting{epoch: -1}
	for i, s := range all {
		if s.err != nil {
			failures = append(failures, fmt.Errorf("ask sentinel %s: %w", w.peers[i].addr, s.err))
		} else if s.epoch > best.epoch {
			best = s
		}
	}
	if best.addr == "" {
		return Master{}, errors.Join(failures...)
	}
	return Master{Addr: best.addr}, nil
}

func (s *sentinel) ask(ctx context.Context, master string, d Dialer) sighting {
	ctx, cancel := context.WithTimeout(ctx, 2*SentinelTimeout)
	defer cancel()
	if err := s.connect(ctx, d); err != nil {
		return sighting{err: err}
	}
	fields, err := s.link.client.Do(ctx, s.link.B().Arbitrary("SENTINEL", "MASTER", master).Build()).AsStrMap()
	if err != nil {
		if _, refused := rueidis.IsRedisErr(err); !refused {
			s.close()
		}
		return sighting{err: err}
	}
	epoch, err := strconv.ParseInt(fields["config-epoch"], 10, 64)
	if err != nil || fields["ip"] == "" || fields["port"] == "" {
		return sighting{err: errors.New("unknown form of SENTINEL MASTER")}
	}
	return sighting{addr: net.JoinHostPort(fields["ip"], fields["port"]), epoch: epoch}
}

func (s *sentinel) connect(ctx context.Context, d Dialer) (err error) {
	if s.link != nil && s.link.Err() == nil {
		return nil
	}
	s.close()
	s.link, err = Open(ctx, s.addr, d, rueidis.PubSubHooks{})
	return err
}

func (s *sentinel) close() {
	if s.link != nil {
		s.link.Close()
		s.link = nil
	}
}

// Close ends the connections.
func (w *Sentinels) Close() {
	for _, s := range w.peers {
		s.close()
	}
}
