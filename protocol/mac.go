package protocol

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
)

// hexSum is an HMAC-SHA256 in lower-case hex, as every signature of the protocol is written.
type hexSum [2 * sha256.Size]byte

// equal compares in a time that tells nothing of where the two differ.
func (s *hexSum) equal(given string) bool {
	return subtle.ConstantTimeCompare([]byte(given), s[:]) == 1
}

// The bytes that HMAC mixes into the key (RFC 2104, section 2).
const (
	innerPad = 0x36
	outerPad = 0x5c
)

// signRoom is the size of a buffer on the stack in which most signed texts fit, with what startText puts in front.
const signRoom = 512

// startText begins the text that sign will sign. HMAC hashes the padded key in front of the text; with both in one slice the sum needs no
// memory of its own, where crypto/hmac takes five objects for each of the thousands of signatures that a busy site checks in a second.
func startText(dst []byte, secret string) []byte {
	key := padded(secret, innerPad)
	return append(dst, key[:]...)
}

// sign signs a text that startText began with the same secret.
func sign(text []byte, secret string) hexSum {
	inner := sha256.Sum256(text)
	key := padded(secret, outerPad)
	var outer [sha256.BlockSize + sha256.Size]byte
	copy(outer[:], key[:])
	copy(outer[sha256.BlockSize:], inner[:])
	sum := sha256.Sum256(outer[:])
	var written hexSum
	hex.Encode(written[:], sum[:])
	return written
}

// padded is the key of one block, each byte mixed with pad. A longer secret counts as its hash.
func padded(secret string, pad byte) [sha256.BlockSize]byte {
	var key [sha256.BlockSize]byte
	if len(secret) > len(key) {
		sum := sha256.Sum256([]byte(secret))
		copy(key[:], sum[:])
	} else {
		copy(key[:], secret)
	}
	for i := range key {
		key[i] ^= pad
	}
	return key
}
