// Package redis is a connection to one Redis server, and the question which servers are the masters.
//
// A Link lives until its first trouble and is never dialled again. Everything that knows how Redis words its answers is here: what an error
// means, whether a server is what it is taken for, CLUSTER SLOTS and SENTINEL MASTER.
package redis
