package bus

import "strings"

// slotCount is how many hash slots a Redis Cluster has.
const slotCount = 16384

// crcTable is CRC-16/XMODEM, the checksum of the Redis Cluster specification.
var crcTable = makeCRCTable()

func makeCRCTable() (table [256]uint16) {
	for i := range table {
		crc := uint16(i) << 8
		for range 8 {
			if crc&0x8000 != 0 {
				crc = crc<<1 ^ 0x1021
			} else {
				crc <<= 1
			}
		}
		table[i] = crc
	}
	return table
}

// slotOf is the hash slot of a name or key: of what is between the first { and the next }, when there is something.
func slotOf(name string) uint16 {
	if start := strings.IndexByte(name, '{'); start >= 0 {
		if n := strings.IndexByte(name[start+1:], '}'); n > 0 {
			name = name[start+1 : start+1+n]
		}
	}
	crc := uint16(0)
	for i := range len(name) {
		crc = crc<<8 ^ crcTable[byte(crc>>8)^name[i]]
	}
	return crc % slotCount
}
