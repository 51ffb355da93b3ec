package bus

import "crypto/sha1"
import "encoding/hex"

// Bus is a connection to Redis that comes back by itself. All methods may be called from any goroutine, hooks included.
type Bus struct{}

// Open starts to connect, for ever. The error is one of the options; that Redis cannot be reached is told by State and Hooks.Down.
func Open(o Options, h Hooks) (*Bus, error) { return &Bus{}, nil }

// PublishCommand is the command with which a script must publish: PUBLISH, or SPUBLISH in a cluster.
func (b *Bus) PublishCommand() string { return "PUBLISH" }

// Subscribe asks for what is published on name. done, which may be nil, is called once: with nil when Redis has confirmed, with ErrDown at
// once when Redis is down: then the name is subscribed when it is back, before Hooks.Up. done must not wait; it may be called before Subscribe returns.
func (b *Bus) Subscribe(name string, done func(error)) {}

// Unsubscribe ends a subscription. Messages may still come for a moment.
func (b *Bus) Unsubscribe(name string) {}

// Publish sends m after all that was published or commanded before it. When Redis is down it waits, in order, bounded by bytes and age. The
// error is ErrFull or ErrClosed.
func (b *Bus) Publish(m Message) error { return nil }

// PublishCount publishes and tells how many subscribers Redis, or the master of this name, had for it. When Redis is down it does not wait: ErrDown.
// done is called once, on the goroutine of the lane: it must not wait.
func (b *Bus) PublishCount(name string, payload []byte, done func(count int, err error)) {}

// Do executes c after all that was published or commanded before it. done, which may be nil, is called once, on the goroutine of the lane:
// it must not wait. When Redis is down, done gets ErrDown at once.
func (b *Bus) Do(c Command, done func(Reply)) {}

// Up says whether Redis is reached and every wanted subscription was confirmed.
func (b *Bus) Up() bool { return false }

// State says how the bus stands.
func (b *Bus) State() State { return State{} }

// Close sends what waits, when Redis is up and takes it within a second, and ends the goroutines.
func (b *Bus) Close() {}

func newScript(source string) *Script {
	sum := sha1.Sum([]byte(source))
	return &Script{source: source, sha: hex.EncodeToString(sum[:])}
}
