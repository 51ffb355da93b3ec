// Package restart watches for the restart signal of a Laravel site: `php artisan reverb:restart`, which `php artisan
// reload` runs too, writes the time of day under the key laravel:reverb:restart of the default cache store.
//
// As Reverb does, a Watcher remembers the value that it sees first and looks again every five seconds. Any other value
// is a signal, and so is none where there was one: the cache was cleared. A store that cannot be read is neither; it is
// said once, and looked at again.
package restart
