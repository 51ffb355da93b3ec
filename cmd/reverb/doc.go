// Command reverb is a WebSocket server for Laravel sites that speaks the Pusher protocol, in place of
// `php artisan reverb:start`.
//
// This package has the words of the command line: commands, flags, what they print, and the exit codes. Commands carry
// the names of Reverb's artisan commands and look like theirs, and the exit codes are the same: 0 after a stop that was
// asked for, 1 when something went wrong. Package node is the server that `reverb start` runs, and package management
// is how `reverb restart` and `reverb reload` reach it.
package main
