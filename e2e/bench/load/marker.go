package main

import (
	"encoding/binary"
	"hash/crc32"
)

// A frame is 20 ms of G.711 (160 bytes) that names itself: the connector passes G.711 through, so
// the bytes come back as they were, though perhaps cut at other places.
//
//	0      4     6      10        18     22            160
//	| magic| call| frame| sent µs | CRC32| loud filling |
const (
	frameBytes  = 160
	headerBytes = 22
)

var magic = [4]byte{0x13, 0x9a, 0x27, 0x8e}

type mark struct {
	call  uint16
	frame uint32
	sent  int64 // µs, the bench's own clock
}

func writeFrame(out []byte, m mark) {
	copy(out, magic[:])
	binary.BigEndian.PutUint16(out[4:], m.call)
	binary.BigEndian.PutUint32(out[6:], m.frame)
	binary.BigEndian.PutUint64(out[10:], uint64(m.sent))
	binary.BigEndian.PutUint32(out[18:], crc32.ChecksumIEEE(out[4:18]))
	for i := headerBytes; i < frameBytes; i++ {
		out[i] = byte(0x10 + i%16)
	}
}

// reader finds frames in a byte stream.
type reader struct {
	held []byte
}

// push calls found for each whole frame header in the stream so far.
func (r *reader) push(audio []byte, found func(mark)) {
	r.held = append(r.held, audio...)
	for len(r.held) >= headerBytes {
		m, ok := readHeader(r.held)
		if !ok {
			r.held = r.held[1:]
			continue
		}
		found(m)
		r.held = r.held[headerBytes:]
	}
}

func readHeader(b []byte) (mark, bool) {
	if b[0] != magic[0] || b[1] != magic[1] || b[2] != magic[2] || b[3] != magic[3] {
		return mark{}, false
	}
	if binary.BigEndian.Uint32(b[18:]) != crc32.ChecksumIEEE(b[4:18]) {
		return mark{}, false
	}
	return mark{
		call:  binary.BigEndian.Uint16(b[4:]),
		frame: binary.BigEndian.Uint32(b[6:]),
		sent:  int64(binary.BigEndian.Uint64(b[10:])),
	}, true
}
