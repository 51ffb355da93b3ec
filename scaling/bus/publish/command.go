package publish

import (
	"crypto/sha1"
	"encoding/hex"
	"time"

	"github.com/redis/rueidis"
)

// Message is something to publish.
type Message struct {
	Name    string // the Redis channel
	Payload []byte // not changed by anybody from Publish on
	Keep    *Keep  // also to be stored, nil: not
	Yields  bool   // it may wait only while little does, see Options.YieldBytes: clients can make any number of these
}

// Keep is a value that is stored just before a message is published, on the same connection, and that waits with it. Its Key must be in the
// same slot as the Name.
type Keep struct {
	Key   string
	Value []byte // not changed by anybody from Publish on
	TTL   time.Duration

	// Script, if not nil, decides whether to store it, in place of a SET. KEYS: 1 Key 2 Beside; ARGV: 1 Value 2 TTL in ms, then Args.
	Script *Script
	Beside string
	Args   []string
}

// size is the bytes that it holds.
func (k *Keep) size() int {
	size := len(k.Key) + len(k.Value) + len(k.Beside)
	for _, arg := range k.Args {
		size += len(arg)
	}
	return size
}

// Command is a Redis command: a script, or Name with Keys and Args in this order. All keys must be of one slot; a command without keys
// goes to any master.
type Command struct {
	Script *Script
	Name   string // not used with Script
	Keys   []string
	Args   []string
}

// Script is a Lua script: sent as its hash, and in full when Redis does not know it.
type Script struct {
	source, sha string
}

// NewScript makes a script of Lua source. In a script, "PUBLISH" must be SPUBLISH in a cluster.
func NewScript(source string) *Script {
	sum := sha1.Sum([]byte(source))
	return &Script{source: source, sha: hex.EncodeToString(sum[:])}
}

// Reply is Redis' answer to a command. The methods that return an error return that of the reply too.
type Reply struct {
	message rueidis.RedisMessage
	err     error
}

// Err is redis.ErrDown, redis.ErrClosed, or the error that Redis answered; nil when there is an answer, be it Redis' nil.
func (r Reply) Err() error { return r.err }

// IsNil says whether Redis answered nil: no such key.
func (r Reply) IsNil() bool { return r.err == nil && r.message.IsNil() }

// Int is an integer, or a string that reads as one.
func (r Reply) Int() (int64, error) {
	if r.err != nil {
		return 0, r.err
	}
	return r.message.AsInt64()
}

// Text is a string; empty for nil.
func (r Reply) Text() (string, error) {
	if r.err != nil || r.message.IsNil() {
		return "", r.err
	}
	return r.message.ToString()
}

// List is an array; empty for nil.
func (r Reply) List() ([]Reply, error) {
	if r.err != nil || r.message.IsNil() {
		return nil, r.err
	}
	elements, err := r.message.ToArray()
	if err != nil {
		return nil, err
	}
	all := make([]Reply, len(elements))
	for i, e := range elements {
		all[i] = Reply{message: e}
	}
	return all, nil
}

// Texts is an array of strings.
func (r Reply) Texts() ([]string, error) {
	if r.err != nil || r.message.IsNil() {
		return nil, r.err
	}
	return r.message.AsStrSlice()
}

// Map is a hash, as of HGETALL.
func (r Reply) Map() (map[string]string, error) {
	if r.err != nil || r.message.IsNil() {
		return nil, r.err
	}
	return r.message.AsStrMap()
}
