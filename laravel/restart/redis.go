package restart

import (
	"context"
	"errors"
	"strings"

	"github.com/redis/rueidis"

	"reverb/config"
	"reverb/laravel/database"
)

// redisStore is the store "redis": a key with the prefix of the connection and that of the cache. (Laravel: RedisStore)
type redisStore struct {
	options rueidis.ClientOption
	keys    []string

	client rueidis.Client // nil until Redis was reached once
}

func openRedis(c config.Cache) (*redisStore, error) {
	options, err := database.RedisOptions(c.Redis, "reverb-restart", readTimeout)
	if err != nil {
		return nil, err
	}
	s := &redisStore{options: options}
	for _, outer := range c.RedisPrefixes {
		for _, inner := range c.Prefixes {
			s.keys = append(s.keys, outer+inner+signalKey)
		}
	}
	return s, nil
}

// read asks for each key by itself: in a Redis Cluster they are on different nodes.
func (s *redisStore) read(ctx context.Context) (string, error) {
	if s.client == nil {
		client, err := rueidis.NewClient(s.options)
		if err != nil {
			return "", err
		}
		s.client = client
	}
	var values []string
	for _, key := range s.keys {
		value, err := s.client.Do(ctx, s.client.B().Get().Key(key).Build()).ToString()
		if err != nil && !errors.Is(err, rueidis.Nil) {
			return "", err
		}
		values = append(values, value)
	}
	if all := strings.Join(values, "\n"); strings.Trim(all, "\n") != "" {
		return all, nil
	}
	return "", nil
}

func (s *redisStore) close() {
	if s.client != nil {
		s.client.Close()
	}
}

func (s *redisStore) names() []string { return s.keys }
