// Package phpnodes lets this node stand in one cluster with nodes of Laravel Reverb (PHP, 1.7.0 or later), while a site moves from one
// to the other.
//
// Everything goes over one Redis channel, in Reverb's envelope: a JSON object with objects of PHP's serialize inside.
//
//	{"type":"message","application":"O:26:…","payload":{"event":…,"channels":["…"],"data":"…"},"socket_id":"1.2"}
//	{"type":"terminate","application":"O:26:…","payload":{"user_id":"7"}}
//	{"type":"metrics","payload":"O:45:…"}               a question; whoever is subscribed answers once:
//	{"type":"<key of the question>","payload":…}
//
// What Reverb has no words for goes beside it, through the relay of the nodes of this program (Nodes): presence, the cached event of
// cache channels, limits and the counts of these nodes, terminate.
//
// # What PHP nodes must be spared
//
// A PHP node ends its process over a message that it cannot read. So whatever is published here is written, not copied: valid JSON in
// ASCII, nested no deeper than PHP reads, numbers that PHP can write again. Terminate is heard, and published only when the operator
// says that the PHP nodes survive it: Reverb up to 1.11.0 ends when one of its connections has no user id. And since each question waits
// for as many answers as Redis has subscribers, a node has exactly one subscription, and answers every question at once, whatever it is
// about.
//
// # What this node adds to the envelope
//
// Messages of this program have further keys, which PHP nodes do not look at: node, the id of the publisher, seq, the number of an
// event, and cache, when the event is to be kept. By them a node knows its own messages, which it has delivered already, and those that
// came twice. A question of this program is answered by its peers with [], because it asked them in another way.
//
// # What stays divided
//
// PHP nodes neither tell nor hear who is in a presence channel. Members on PHP nodes are not in the rosters of this program's nodes, nor
// the other way round; they are in the answers of the HTTP API. A user on both is counted twice in user_count, as Reverb does.
package phpnodes
