// Package doctor looks at what is around the server, the way an experienced operator would when something does not
// work: the limits of the system, the site's .env, certificates, Redis, the proxy in front, and at last a whole round
// trip, as a browser and Laravel make it.
//
// Every finding says what is so, why it matters, and the line to change. The doctor changes nothing: it writes no file
// and no key, and the one event that it publishes goes to a channel of its own that nobody else is subscribed to. It
// connects to the addresses of the configuration and the environment only, and to the master that the configured
// sentinels name. No secret is in what it says.
//
// All that it learns from the system comes through Probes, so that tests examine machines that do not exist.
package doctor
