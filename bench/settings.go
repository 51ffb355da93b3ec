package bench

import (
	"errors"
	"fmt"
	"net/netip"
	"time"
)

// Settings of one run. The toml tag is the key in a profile and, with dashes, the name of the flag. Which of them a scenario reads
// stands in its uses list; the others are refused, so that a mistaken one is never silently without effect.
type Settings struct {
	Name     string `toml:"name"`     // of the run, for people; profiles only
	Scenario string `toml:"scenario"` // profiles only, the command line has a command for each

	// Time.
	Duration time.Duration `toml:"duration" usage:"how long to measure"`
	Warmup   time.Duration `toml:"warmup" usage:"traffic before measuring, checked but not timed"`
	Drain    time.Duration `toml:"drain" usage:"longest wait for what is still under way at the end"`

	// The clients.
	Connections int    `toml:"connections" usage:"connections"`
	Subscribers int    `toml:"subscribers" usage:"subscribers of each channel"`
	Channels    int    `toml:"channels" usage:"channels; idle: 0 gives each connection its own"`
	Kind        string `toml:"kind" usage:"of the channels: public or private"`
	Slow        int    `toml:"slow" usage:"subscribers that stop reading"`

	// The events.
	Rate       float64 `toml:"rate" usage:"events a second by the clock, whatever becomes of earlier ones; 0: as fast as it goes"`
	Probes     float64 `toml:"probes" usage:"GET requests for the list of channels a second, beside the events and by the clock; 0: none"`
	Publishers int     `toml:"publishers" usage:"HTTP connections that publish by the clock"`
	Inflight   int     `toml:"inflight" usage:"requests, joins, whispers or connects under way at once when the rate is 0"`
	Ahead      int     `toml:"ahead" usage:"events that may be accepted and not delivered to everyone yet when the rate is 0"`
	Size       int     `toml:"size" usage:"bytes of data in an event"`
	Batch      int     `toml:"batch" usage:"events in a request, 1 to 10"`
	KeepAlive  bool    `toml:"keep_alive" usage:"keep HTTP connections open between requests"`

	// The client.
	Loops   int      `toml:"loops" usage:"event loops of the client"`
	Sources []string `toml:"sources" usage:"local addresses to connect from in turn"`
}

// common are the settings of every scenario.
var common = []string{"duration", "drain", "loops", "sources"}

// Kinds of channels.
const (
	public  = "public"
	private = "private"
)

// Bounds that keep a slip of the finger from taking the machine down.
const (
	maxConnections = 2_000_000
	maxSize        = 1 << 20 // bytes
	maxProbes      = 10_000  // a second, over one connection
	maxBatch       = 10      // Pusher: ten events in a batch
)

// defaults are what every scenario begins with.
func defaults() Settings {
	return Settings{
		Duration: 10 * time.Second, Warmup: 2 * time.Second, Drain: 5 * time.Second,
		Kind: public, Publishers: 4, Inflight: 8, Ahead: 256, Size: 200, Batch: 1, KeepAlive: true, Loops: 1,
	}
}

// validate reports everything that cannot be run, all at once.
func (s *Settings) validate() error {
	var errs []error
	within := func(name string, n, low, high int) {
		if n < low || n > high {
			errs = append(errs, fmt.Errorf("%s: %d is not within %d and %d", name, n, low, high))
		}
	}
	within("connections", s.Connections, 0, maxConnections)
	within("subscribers", s.Subscribers, 0, maxConnections)
	within("channels", s.Channels, 0, maxConnections)
	within("slow", s.Slow, 0, max(s.Subscribers, 0))
	within("publishers", s.Publishers, 1, 10_000)
	within("inflight", s.Inflight, 0, maxConnections)
	within("ahead", s.Ahead, 1, 1_000_000)
	within("size", s.Size, 0, maxSize)
	within("batch", s.Batch, 1, maxBatch)
	within("loops", s.Loops, 1, 256)
	if s.Rate < 0 || s.Rate > 10e6 {
		errs = append(errs, fmt.Errorf("rate: %g is not within 0 and 10,000,000", s.Rate))
	}
	if !(s.Probes >= 0 && s.Probes <= maxProbes) {
		errs = append(errs, fmt.Errorf("probes: %g is not within 0 and %d", s.Probes, maxProbes))
	}
	if s.Duration <= 0 || s.Duration > 24*time.Hour {
		errs = append(errs, fmt.Errorf("duration: %v is not within 1ns and 24h", s.Duration))
	}
	if s.Warmup < 0 || s.Drain < 0 {
		errs = append(errs, errors.New("warmup and drain may not be negative"))
	}
	if s.Kind != public && s.Kind != private {
		errs = append(errs, fmt.Errorf("kind: %q is neither %s nor %s", s.Kind, public, private))
	}
	if _, err := s.sources(); err != nil {
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// sources are the local addresses as addresses.
func (s *Settings) sources() ([]netip.Addr, error) {
	var all []netip.Addr
	for _, text := range s.Sources {
		addr, err := netip.ParseAddr(text)
		if err != nil {
			return nil, fmt.Errorf("sources: %q is no address", text)
		}
		all = append(all, addr)
	}
	return all, nil
}

// channel is the name of the n-th channel.
func (s *Settings) channel(n int) string {
	if s.Kind == private {
		return fmt.Sprintf("private-bench-%d", n)
	}
	return fmt.Sprintf("bench-%d", n)
}
