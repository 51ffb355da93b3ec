// Package outbound is what the server sends to clients: messages, and the encodings in which connections take them.
//
//	            Begin, append the JSON, End
//	                         │
//	┌──── Room ────┬─────────▼───────────────────┐
//	│     81 7e 01 2c {"event":"…","channel":"…"} │  one allocation, never copied again
//	└──────┬───────┴─┬───────────────────────────┘
//	       │         └─ JSON: relays, cached events, other encodings
//	       └─ TextFrame: sent as it is
//
// The JSON of a message is written once, with room in front for the header of a WebSocket frame, so that the text
// frame, which nearly every connection wants, costs nothing more. Another encoding is made from the JSON when the first
// receiver asks for it; receivers of one Batch share it.
package outbound
