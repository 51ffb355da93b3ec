package protocol

import "strings"

// Kind says what a channel does beyond delivering events; its name decides. It is a set of
// properties; the zero Kind is a plain public channel.
type Kind uint8

const (
	kindPrivate   Kind = 1 << iota // subscribing needs a signature
	kindPresence                   // needs a signature, keeps a roster of members
	kindCache                      // keeps the last event for those who come later
	kindEncrypted                  // private; the clients encrypt, the server passes on what it cannot read
)

// KindOf returns the kind that Reverb gives a channel of this name. Reverb asks for no dash after
// "cache", "private" and "presence": "cachefoo" is a cache channel, "privatefoo" a private one. It
// knows no encrypted cache channel: "private-encrypted-cache-foo" is private and caches nothing.
func KindOf(name string) Kind {
	switch {
	case strings.HasPrefix(name, "private-cache-"):
		return kindPrivate | kindCache
	case strings.HasPrefix(name, "presence-cache-"):
		return kindPresence | kindCache
	case strings.HasPrefix(name, "cache"):
		return kindCache
	case strings.HasPrefix(name, "private-encrypted-"):
		return kindPrivate | kindEncrypted
	case strings.HasPrefix(name, "private"):
		return kindPrivate
	case strings.HasPrefix(name, "presence"):
		return kindPresence
	}
	return 0
}

// StrictKindOf returns the kind that Pusher Channels gives a channel of this name: every prefix ends
// in a dash, and encrypted channels may cache.
func StrictKindOf(name string) Kind {
	switch {
	case strings.HasPrefix(name, "private-encrypted-cache-"):
		return kindPrivate | kindEncrypted | kindCache
	case strings.HasPrefix(name, "private-encrypted-"):
		return kindPrivate | kindEncrypted
	case strings.HasPrefix(name, "private-cache-"):
		return kindPrivate | kindCache
	case strings.HasPrefix(name, "private-"):
		return kindPrivate
	case strings.HasPrefix(name, "presence-cache-"):
		return kindPresence | kindCache
	case strings.HasPrefix(name, "presence-"):
		return kindPresence
	case strings.HasPrefix(name, "cache-"):
		return kindCache
	}
	return 0
}

// IsPublic reports whether anyone may subscribe; a public channel may still be a cache channel.
func (k Kind) IsPublic() bool { return !k.NeedsAuth() }

// NeedsAuth reports whether subscribing takes a signature: private and presence channels.
func (k Kind) NeedsAuth() bool { return k&(kindPrivate|kindPresence) != 0 }

// IsPresence reports whether the channel keeps a roster of members.
func (k Kind) IsPresence() bool { return k&kindPresence != 0 }

// IsCache reports whether the channel keeps its last event.
func (k Kind) IsCache() bool { return k&kindCache != 0 }

// IsEncrypted reports whether the events of the channel are ciphertext to the server.
func (k Kind) IsEncrypted() bool { return k&kindEncrypted != 0 }

// String returns the prefix that makes a channel of this kind, without the last dash, or "public".
func (k Kind) String() string {
	switch k {
	case 0:
		return "public"
	case kindCache:
		return "cache"
	case kindPrivate:
		return "private"
	case kindPrivate | kindCache:
		return "private-cache"
	case kindPrivate | kindEncrypted:
		return "private-encrypted"
	case kindPrivate | kindEncrypted | kindCache:
		return "private-encrypted-cache"
	case kindPresence:
		return "presence"
	case kindPresence | kindCache:
		return "presence-cache"
	}
	return "unknown"
}

// serverPrefix begins the names of channels that are the server's: #server-to-user-7. Nobody can
// subscribe or send to them.
const serverPrefix = "#"

// LenientChannelName reports whether a client may use name where Reverb's rules hold: any name that
// is not the server's, of at most limit bytes (0: any length).
func LenientChannelName(name string, limit int) bool {
	return !strings.HasPrefix(name, serverPrefix) && (limit == 0 || len(name) <= limit)
}

// ValidChannelName reports whether Pusher would take name: one to limit of the characters
// A-Z a-z 0-9 - _ = @ , . ; (limit 0: any length). Reverb takes every name.
func ValidChannelName(name string, limit int) bool {
	if !validLength(name, limit) {
		return false
	}
	for i := range len(name) {
		c := name[i]
		letter := 'a' <= c|0x20 && c|0x20 <= 'z'
		if !letter && !isDigit(c) && strings.IndexByte("-_=@,.;", c) < 0 {
			return false
		}
	}
	return true
}

// ValidEventName reports whether Pusher would take name: one to limit bytes (limit 0: any length),
// whatever the characters. Reverb takes every name that is not blank.
func ValidEventName(name string, limit int) bool { return validLength(name, limit) }

func validLength(name string, limit int) bool {
	return name != "" && (limit == 0 || len(name) <= limit)
}
