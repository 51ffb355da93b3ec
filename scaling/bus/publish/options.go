package publish

import (
	"errors"
	"log/slog"
	"time"

	"github.com/redis/rueidis"
)

// ErrFull says that a publication was dropped: the buffer of what waits for Redis is full.
var ErrFull = errors.New("buffer for redis is full")

// Options of a Publisher; none has a default.
type Options struct {
	Cluster      bool          // channels are sharded
	ReplyTimeout time.Duration // how long an operation is sent again that Redis sends elsewhere
	BufferBytes  int64         // of publications that wait, with what they cost beside name and payload
	YieldBytes   int64         // of publications that wait when one with Message.Yields comes
	BufferAge    time.Duration // a publication waits at most this long

	// Look has the masters looked for, at this server first when it is not empty. It does not wait.
	Look func(hint string)
	// Ask executes a command on the server to which a slot is just being moved.
	Ask func(addr string, build func(rueidis.Builder) rueidis.Completed) rueidis.RedisResult

	Log     *slog.Logger
	Dropped func(reason string, count int) // counts dropped publications
}
