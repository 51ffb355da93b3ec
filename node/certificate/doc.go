// Package certificate is the room of the server's own certificate: where its files are, how they are read and
// decrypted, and how a running server follows them when they are renewed. The poller and the dashboard take the
// tls.Config of a Pair; `reverb check` and `reverb doctor` ask whether the files can be used.
package certificate
