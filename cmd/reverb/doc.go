// Command reverb is a WebSocket server for Laravel sites that speaks the Pusher protocol, in place of `php artisan reverb:start`.
//
// The command joins the packages and owns what belongs to a process: flags, signals, limits of the operating system, the console and
// the control socket through which `reverb restart` and `reverb reload` reach a running server. Its commands carry the names of Reverb's artisan
// commands, its output looks like theirs, and its exit codes are the same: 0 after a stop that somebody asked for, 1 for everything
// that went wrong.
//
// node.go is the place to begin: a node is one running server, and its two long functions are the order of the start and of the stop.
package main
