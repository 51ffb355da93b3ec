// Package dashboard is the live page of a node: what it does, as charts that move, and what a person may do about it.
//
// The page is one HTML file with plain modules and no build step, embedded in the program; it asks for JSON below api/
// and loads nothing from any other host. All its addresses are relative, so that a proxy may serve it below any path.
//
// # No second truth
//
// Every number of the charts is taken from the same registry that /metrics is answered from, once a second while
// somebody looks and every five seconds otherwise.
//
// # Who may look
//
// Anybody who gave the password; the login is a cookie that only requests of the same site carry. The page asks for
// none only when the configuration says so, on a loopback address. Then only browsers on this machine may look: the
// request must name a loopback host and must not have come through a proxy, because a page of any site could otherwise
// have its own name point here. Each request that changes something must also carry a header that only the page's own
// script sets.
//
// # What it may cost
//
// Lists are sorted and cut on this side, at most a page of rows leaves, and two of them are made at a time. A viewer of
// the tail has a bounded queue; what finds it full is counted and shown. While nobody views the tail, an event costs
// one atomic load.
package dashboard
