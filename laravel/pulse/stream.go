package pulse

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/redis/rueidis"

	"reverb/config"
	"reverb/laravel/database"
	"reverb/laravel/php"
)

const (
	// streamName is what Pulse calls its stream; Laravel puts the prefix of its Redis connection in front.
	streamName = "laravel:pulse:ingest"
	// streamKeep is how long Pulse keeps entries that nobody digests, its `pulse.ingest.trim.keep`. We trim as well,
	// because with a wrong prefix there would be nobody else.
	streamKeep = 7 * 24 * time.Hour
	// entriesPerBatch is how many entries are sent before their answers are waited for, about 600 kB at most.
	entriesPerBatch = 64
)

// stream appends to the stream of the ingest driver "redis" of Pulse.
type stream struct {
	// Constant after construction.
	options rueidis.ClientOption
	key     string
	again   php.Array // what an entry of countsPerEntry messages repeats

	// Owned by the recorder's goroutine.
	client rueidis.Client // nil: not connected yet
}

func newStream(c config.Redis, prefix string) (*stream, error) {
	options, err := database.RedisOptions(c, "reverb-pulse", writeTimeout)
	if err != nil {
		return nil, err
	}
	return &stream{options: options, key: prefix + streamName, again: repeated(countsPerEntry)}, nil
}

func (s *stream) close() {
	if s.client != nil {
		s.client.Close()
	}
}

// write appends the entries in batches. What Redis refuses, and what it was not asked for, is left.
func (s *stream) write(ctx context.Context, counts []count, now time.Time) (left []count, unsure uint64, err error) {
	if err := s.connect(ctx); err != nil {
		return counts, 0, fmt.Errorf("connect to redis: %w", err)
	}
	oldest := strconv.FormatInt(now.Add(-streamKeep).UnixMilli(), 10)
	for len(counts) > 0 && err == nil {
		var batch []count
		batch, counts = cut(counts)
		var refused []count
		var lost uint64
		refused, lost, err = s.append(ctx, batch, oldest)
		left, unsure = append(left, refused...), unsure+lost
	}
	return append(left, counts...), unsure, err
}

// connect makes sure that Redis answers before counts are sent to it: they would be lost if it did not. A connection
// that was lost since the last time is no reason to wait for the next.
func (s *stream) connect(ctx context.Context) error {
	if s.client != nil {
		if s.ping(ctx) == nil {
			return nil
		}
		s.client.Close()
		s.client = nil
	}
	client, err := rueidis.NewClient(s.options)
	if err != nil {
		if client != nil { // with ForceSingleClient there is one beside the error
			client.Close()
		}
		return err
	}
	s.client = client
	return s.ping(ctx)
}

func (s *stream) ping(ctx context.Context) error {
	return s.client.Do(ctx, s.client.B().Ping().Build()).Error()
}

// cut takes one batch of entries from the counts, which it changes.
func cut(counts []count) (batch, rest []count) {
	for len(counts) > 0 && len(batch) < entriesPerBatch {
		entry := count{counts[0].slot, min(counts[0].n, countsPerEntry)}
		batch = append(batch, entry)
		if counts[0].n -= entry.n; counts[0].n == 0 {
			counts = counts[1:]
		}
	}
	return batch, counts
}

// append sends one batch in one go.
func (s *stream) append(ctx context.Context, batch []count, oldest string) (refused []count, unsure uint64, err error) {
	commands := make(rueidis.Commands, len(batch))
	for i, c := range batch {
		entry := appendEntry(nil, c.slot, s.again[:c.n])
		commands[i] = s.client.B().Xadd().Key(s.key).Minid().Almost().Threshold(oldest).Id("*").
			FieldValue().FieldValue("data", rueidis.BinaryString(entry)).Build()
	}
	for i, reply := range s.client.DoMulti(ctx, commands...) {
		failure := reply.Error()
		if failure == nil {
			continue
		}
		err = fmt.Errorf("append to the stream %s: %w", s.key, failure)
		if _, answered := rueidis.IsRedisErr(failure); answered {
			refused = append(refused, batch[i])
		} else {
			unsure += batch[i].n
		}
	}
	return refused, unsure, err
}
