package config

import "strings"

// Laravel is the table [laravel]: what the site calls what it shares with us.
type Laravel struct {
	Name         string // "laravel"
	RedisPrefix  string // of all keys the site has in Redis; follows from Name: "laravel-database-"
	RedisCacheDB string // number of the database of its Redis connection "cache"; "1"

	Cache Cache
}

// checkLaravel derives the prefix from the name, as config/database.php of
// Laravel 12 and 13 does. A prefix that was written stays, an empty one too.
func (l *loader) checkLaravel() {
	const path = "laravel.redis_prefix"
	if _, written := l.cfg.origins[path]; written {
		return
	}
	if o, named := l.cfg.origins["laravel.name"]; named {
		l.cfg.Laravel.RedisPrefix = slug(l.cfg.Laravel.Name) + "-database-"
		l.cfg.origins[path] = o
	}
}

// slug is what Laravel's Str::slug makes of a name of ASCII characters. Others
// are left out; Laravel would spell some of them with ASCII letters.
func slug(name string) string {
	var b strings.Builder
	gap := false
	add := func(s string) {
		if gap && b.Len() > 0 {
			b.WriteByte('-')
		}
		gap = false
		b.WriteString(s)
	}
	for _, c := range strings.ToLower(name) {
		switch {
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9':
			add(string(c))
		case c == '@':
			gap = true
			add("at")
			gap = true
		case strings.ContainsRune("-_ \t", c):
			gap = true
		}
	}
	return b.String()
}

// isASCII reports whether slug is exact.
func isASCII(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r > 0x7f })
}
