package config

import (
	"slices"
	"time"
)

// App is one [[apps]] entry. It is immutable after Load and shared by all
// connections of the app.
type App struct {
	ID, Key, Secret string
	Profile         string // "reverb" or "pusher"; see ProfileRules
	Enabled         bool   // true; a disabled app refuses connections with 4003

	// PreviousKeys and PreviousSecrets are what the app had before a rotation
	// and is known by too, as long as they stand here; at most maxPrevious.
	PreviousKeys, PreviousSecrets []string

	AllowedOrigins         []string      // host patterns with *; ["*"]. Empty = nobody
	AcceptClientEventsFrom string        // "members", "all" or "none"
	PingInterval           time.Duration // silence after which a client is pinged; 60 s
	ActivityTimeout        int           // seconds, only told to clients; 30
	MaxConnections         int           // open connections; 0 = no limit
	MaxMessageSize         int64         // of a client message, bytes; 10,000. 0 = Limits.MaxMessageSize
	CacheBytes             int64         // cached events of the HTTP API, on a node and, from it, in Redis; 64 MiB, 0 = no limit
	ClientCacheBytes       int64         // cached events of clients, likewise; 1 MiB, 0 = no limit

	RateLimit RateLimit
	Rules     Rules
}

// RateLimit is [apps.rate_limiting]: messages of one connection in a fixed
// window.
type RateLimit struct {
	Enabled          bool          // false
	MaxAttempts      int           // messages per window; 60
	Decay            time.Duration // length of the window; 60 s
	TerminateOnLimit bool          // close the connection, not only drop the message; false
}

// NewApp returns an app with the defaults of a [[apps]] entry that has nothing
// but its credentials.
//
// Client events are accepted from members: the default of Reverb's published
// file. (In Reverb an entry without the key accepts them from everyone; a
// forgotten key should not be the open door.)
func NewApp(id, key, secret string) *App {
	return &App{
		ID:                     id,
		Key:                    key,
		Secret:                 secret,
		Profile:                ProfileReverb,
		Enabled:                true,
		AllowedOrigins:         []string{"*"},
		AcceptClientEventsFrom: "members",
		PingInterval:           60 * time.Second,
		ActivityTimeout:        30,
		MaxMessageSize:         10_000,
		CacheBytes:             64 << 20,
		ClientCacheBytes:       1 << 20,
		RateLimit:              RateLimit{MaxAttempts: 60, Decay: 60 * time.Second},
		Rules:                  ProfileRules(ProfileReverb),
	}
}

// HasKey reports whether the app is known by key: its present one or a previous
// one.
func (a *App) HasKey(key string) bool {
	return key == a.Key || slices.Contains(a.PreviousKeys, key)
}

// AnyKey reports whether valid says yes to one of the app's keys.
func (a *App) AnyKey(valid func(key string) bool) bool {
	return valid(a.Key) || slices.ContainsFunc(a.PreviousKeys, valid)
}

// AnySecret reports whether valid says yes to one of the app's secrets. Who
// signs with a previous one need not have the previous key with it: client,
// site and broadcaster do not change in the same moment.
func (a *App) AnySecret(valid func(secret string) bool) bool {
	return valid(a.Secret) || slices.ContainsFunc(a.PreviousSecrets, valid)
}

// Apps are the apps of a node in the order of the file. Ids and keys, the
// previous ones included, are unique.
type Apps []*App

// ByID returns the app of /apps/{id}/…, or nil. The comparison is exact; in
// Reverb "0123" also finds "123".
func (a Apps) ByID(id string) *App {
	for _, app := range a {
		if app.ID == id {
			return app
		}
	}
	return nil
}

// ByKey returns the app of /app/{key}, or nil.
func (a Apps) ByKey(key string) *App {
	for _, app := range a {
		if app.HasKey(key) {
			return app
		}
	}
	return nil
}

// MessageLimit is how large a client message of the app may be, bytes. The ceiling is Limits.MaxMessageSize of the
// running server.
func (a *App) MessageLimit(ceiling int64) int64 {
	if a.MaxMessageSize <= 0 {
		return ceiling
	}
	return min(a.MaxMessageSize, ceiling)
}
