package config

// Laravel is the table [laravel]: what the site calls what it shares with us.
type Laravel struct {
	Name         string // "laravel"
	RedisPrefix  string // of all keys the site has in Redis; follows from Name: "laravel-database-"
	RedisCacheDB string // number of the database of its Redis connection "cache"; "1"

	Cache Cache
}

// checkLaravel derives the prefix from the name, as config/database.php of
// Laravel 12 and 13 does. A prefix that was written stays, an empty one too.
func (ru rules) checkLaravel() {
	const path = "laravel.redis_prefix"
	if _, written := ru.cfg.origins[path]; written {
		return
	}
	if o, named := ru.cfg.origins["laravel.name"]; named {
		ru.cfg.Laravel.RedisPrefix = ""
		if name, exact := slug(ru.cfg.Laravel.Name); exact {
			ru.cfg.Laravel.RedisPrefix = name + "-database-"
		} else {
			o = unknown
		}
		ru.cfg.origins[path] = o
	}
}

// unknown is the origin of a prefix that cannot be derived.
var unknown = origin{place: "unknown: it cannot be derived from laravel.name"}
