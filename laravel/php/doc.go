// Package php reads and writes the format of PHP's serialize: as much of it as plain data needs.
//
//	N;  b:1;  i:-7;  d:0.5;  s:3:"abc";  a:1:{i:0;s:1:"*";}  O:8:"stdClass":0:{}  E:9:"Suit:Clubs";
//
// Lengths count bytes. Reading is strict: what PHP would not have written is refused, and so are references, classes
// that serialise themselves, and closures. A value is data only: no class is looked up and no code runs.
package php
