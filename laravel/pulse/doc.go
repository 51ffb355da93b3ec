// Package pulse tells Laravel Pulse how many messages the applications send and receive, as Reverb's recorder
// ReverbMessages does, for the card "Reverb Messages".
//
// A Recorder reads the counters of the server from time to time and writes what has been added: to the site's database,
// into the aggregates that the card reads, or to the stream in Redis that `php artisan pulse:work` takes them from. It
// is one goroutine, adds nothing to the path of a message, and can lose nothing but counts.
package pulse
