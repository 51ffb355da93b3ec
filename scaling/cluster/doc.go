// Package cluster is the native relay: it makes many nodes look like one to their clients, by way of Redis.
package cluster
