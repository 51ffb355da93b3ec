package client

import (
	"encoding/binary"
	"math/rand/v2"
	"sync"
)

// Opcodes of RFC 6455 section 5.2.
const (
	opContinuation byte = 0x0
	opText         byte = 0x1
	opBinary       byte = 0x2
	opClose        byte = 0x8
	opPing         byte = 0x9
	opPong         byte = 0xa
)

const (
	finBit     = 0x80
	rsvBits    = 0x70
	maskBit    = 0x80
	maxControl = 125 // bytes of a control frame's payload
)

// header is what stands in front of a payload.
type header struct {
	op   byte
	fin  bool
	head int // bytes of the header itself; 0 when it is not complete
	size int // bytes of the payload
}

// readHeader reads the header at the start of b. Everything that a server may not send is an error as soon as it can be seen.
func readHeader(b []byte) (header, error) {
	if len(b) < 2 {
		return header{}, nil
	}
	h := header{op: b[0] & 0x0f, fin: b[0]&finBit != 0, head: 2, size: int(b[1] &^ maskBit)}
	if b[0]&rsvBits != 0 {
		return header{}, &ProtocolError{"frame with a reserved bit"}
	}
	if b[1]&maskBit != 0 {
		return header{}, &ProtocolError{"masked frame"}
	}
	if h.op >= opClose {
		return h, checkControl(h)
	}
	if h.op > opBinary {
		return header{}, &ProtocolError{"frame with an unknown opcode"}
	}
	return readLength(b, h)
}

func checkControl(h header) error {
	switch {
	case h.op > opPong:
		return &ProtocolError{"frame with an unknown opcode"}
	case !h.fin:
		return &ProtocolError{"fragmented control frame"}
	case h.size > maxControl:
		return &ProtocolError{"control frame of more than 125 bytes"}
	}
	return nil
}

// readLength completes h with the 16 or 64 bits of a longer length.
func readLength(b []byte, h header) (header, error) {
	var least int
	switch {
	case h.size < 126:
		return h, nil
	case h.size == 126 && len(b) >= 4:
		h.head, h.size, least = 4, int(binary.BigEndian.Uint16(b[2:])), 126
	case h.size == 127 && len(b) >= 10:
		n := binary.BigEndian.Uint64(b[2:])
		if n > maxMessage {
			return header{}, &ProtocolError{"frame of more than 16 MiB"}
		}
		h.head, h.size, least = 10, int(n), 1<<16
	default:
		return header{}, nil
	}
	if h.size < least {
		return header{}, &ProtocolError{"frame length in more bytes than it needs"}
	}
	return h, nil
}

// headRoom is the longest header of a client's frame: 2 bytes, 8 of length, 4 of mask.
const headRoom = 14

// outFrame is a frame while it is made: headRoom bytes, then the payload.
type outFrame struct{ b []byte }

// framePool lends the buffers in which frames are made; none of them outlives the call that took it.
var framePool = sync.Pool{New: func() any { return &outFrame{b: make([]byte, headRoom, 512)} }}

func newFrame() *outFrame {
	f := framePool.Get().(*outFrame)
	f.b = f.b[:headRoom]
	return f
}

// free gives f back, unless it has grown to a size that no other frame will need.
func (f *outFrame) free() {
	if cap(f.b) <= 64<<10 {
		framePool.Put(f)
	}
}

// seal masks the payload, writes the header right in front of it, and returns the whole frame, which is f's memory.
func (f *outFrame) seal(op byte) []byte {
	payload := f.b[headRoom:]
	at := headRoom - 4
	key := rand.Uint32()
	binary.LittleEndian.PutUint32(f.b[at:], key)
	mask(payload, key)
	switch n := len(payload); {
	case n < 126:
		at--
		f.b[at] = maskBit | byte(n)
	case n < 1<<16:
		at -= 3
		f.b[at] = maskBit | 126
		binary.BigEndian.PutUint16(f.b[at+1:], uint16(n))
	default:
		at -= 9
		f.b[at] = maskBit | 127
		binary.BigEndian.PutUint64(f.b[at+1:], uint64(n))
	}
	at--
	f.b[at] = finBit | op
	return f.b[at:]
}

// mask is RFC 6455 section 5.3, eight bytes at a time. key is little-endian.
func mask(b []byte, key uint32) {
	wide := uint64(key)<<32 | uint64(key)
	for ; len(b) >= 8; b = b[8:] {
		binary.LittleEndian.PutUint64(b, binary.LittleEndian.Uint64(b)^wide)
	}
	for i := range b {
		b[i] ^= byte(key >> (8 * (i & 3)))
	}
}
