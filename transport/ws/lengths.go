package ws

import "encoding/binary"

// lengths follows the frames in the bytes that a peer sends, for one thing that
// the WebSocket library does not look at: a frame's length has its most
// significant bit clear. The library takes it as an int, which is below 0 then,
// passes every limit, and ends the process as the bounds of a slice.
type lengths struct {
	header  [10]byte // of the next frame, without its mask
	known   int      // bytes of it that have come
	passing uint64   // bytes of the frame before, with its mask, that are still to come
}

// impossible says whether the next bytes hold a frame that cannot be.
func (l *lengths) impossible(p []byte) bool {
	for len(p) > 0 {
		if l.passing > 0 {
			n := min(l.passing, uint64(len(p)))
			l.passing -= n
			p = p[n:]
			continue
		}
		l.header[l.known] = p[0]
		l.known++
		p = p[1:]
		if !l.parse() {
			return true
		}
	}
	return false
}

// parse ends the header once all of it has come; false if it cannot be.
func (l *lengths) parse() bool {
	if l.known < 2 {
		return true
	}
	length := uint64(l.header[1] & 0x7F)
	switch {
	case length == 126 && l.known < 4, length == 127 && l.known < 10:
		return true
	case length == 126:
		length = uint64(binary.BigEndian.Uint16(l.header[2:]))
	case length == 127:
		length = binary.BigEndian.Uint64(l.header[2:])
		if length>>63 != 0 {
			return false
		}
	}
	const mask = 4
	if l.header[1]&0x80 != 0 {
		length += mask
	}
	l.known, l.passing = 0, length
	return true
}
