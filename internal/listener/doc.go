// Package listener opens the addresses that the server listens on, and makes listeners that outlive the failures of the
// system or bound their connections.
package listener
