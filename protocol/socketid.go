package protocol

import (
	"math"
	"math/rand/v2"
	"strconv"
)

// maxSocketIDPart is the largest number Reverb draws for a part of a socket id; the smallest is 1.
const maxSocketIDPart = 1_000_000_000

// SocketID names one connection on all nodes: two numbers, written "123.456". It is a value, may be
// compared and used as a map key. The zero SocketID means none.
type SocketID struct{ a, b uint32 }

// NewSocketID draws a socket id. The numbers come from the runtime's ChaCha8 generator, which the
// operating system seeds, so one client cannot foretell the id of another.
func NewSocketID() SocketID {
	return SocketID{1 + rand.Uint32N(maxSocketIDPart), 1 + rand.Uint32N(maxSocketIDPart)}
}

// ParseSocketID reads the canonical text of a socket id: what String gives, no leading zeros. An id
// in any other spelling was never handed out, so it names nobody.
func ParseSocketID(s string) (SocketID, bool) {
	a, rest, ok := socketIDPart(s)
	if !ok || len(rest) < 2 || rest[0] != '.' {
		return SocketID{}, false
	}
	b, rest, ok := socketIDPart(rest[1:])
	if !ok || rest != "" {
		return SocketID{}, false
	}
	id := SocketID{a, b}
	return id, !id.IsZero()
}

// socketIDPart reads the digits at the start of s.
func socketIDPart(s string) (n uint32, rest string, ok bool) {
	var sum uint64
	i := 0
	for ; i < len(s) && isDigit(s[i]); i++ {
		if sum = sum*10 + uint64(s[i]-'0'); sum > math.MaxUint32 {
			return 0, "", false
		}
	}
	if i == 0 || (i > 1 && s[0] == '0') {
		return 0, "", false
	}
	return uint32(sum), s[i:], true
}

// ValidSocketIDSyntax reports whether s looks like a socket id to the Pusher server libraries:
// digits, a dot, digits.
func ValidSocketIDSyntax(s string) bool {
	i := 0
	for i < len(s) && isDigit(s[i]) {
		i++
	}
	if i == 0 || i+1 >= len(s) || s[i] != '.' {
		return false
	}
	for i++; i < len(s); i++ {
		if !isDigit(s[i]) {
			return false
		}
	}
	return true
}

// IsZero reports whether id names nobody.
func (id SocketID) IsZero() bool { return id == SocketID{} }

// Hash spreads ids evenly over tables that are at most a few thousand long.
func (id SocketID) Hash() uint32 { return id.a }

// String returns "123.456", for the zero SocketID "".
func (id SocketID) String() string {
	if id.IsZero() {
		return ""
	}
	return string(id.AppendTo(make([]byte, 0, 21)))
}

// AppendTo appends the text of id to dst; nothing for the zero SocketID.
func (id SocketID) AppendTo(dst []byte) []byte {
	if id.IsZero() {
		return dst
	}
	dst = strconv.AppendUint(dst, uint64(id.a), 10)
	dst = append(dst, '.')
	return strconv.AppendUint(dst, uint64(id.b), 10)
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }
