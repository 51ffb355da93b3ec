// Package config is what the operator wrote: config.toml, the .env file of a
// Laravel site, the environment and the flags, merged and checked.
//
// A value is taken from the first of these places that has it:
//
//	flag > environment > .env > config.toml > default
//
// Two tables hold all knowledge. keys.go lists every key with the field it
// fills, what may be written there and in which unit; env.go maps the
// REVERB_* and REDIS_* variables of Laravel Reverb to those keys. What a
// profile sets is the third table, in profile.go. The configuration file, the
// reference in docs/configuration.md and the output of `reverb check` are
// tested against them.
//
// Load reports every violation at once, a line each, with the place (file and
// line, variable or flag), the key and what is allowed there. Secrets never
// appear in an error or in Effective.
//
// The variables REVERB_APP_* are about one app, as in Reverb's published
// config/reverb.php: the app of the file whose app_id (or else key) they name,
// or else the first one; when the file has no app they make it.
package config
