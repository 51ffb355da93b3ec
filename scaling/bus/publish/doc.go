// Package publish sends publications and commands to the masters of Redis, in order, and keeps what cannot be sent yet.
package publish
