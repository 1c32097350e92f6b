package link

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"slices"
)

// A frame is, in little endian:
//
//	u32 length of the body
//	u32 CRC-32C of the body
//	u32 CRC-32C of the eight bytes before
//	body
//
// The header has a checksum of its own because a damaged length cannot wait
// for the body's: a reader would take other frames, and pings, for the body
// until it is long enough. A frame without a body is a ping.
const headerSize = 12

// Bounds of a body.
const (
	// MaxFrame is the most that a frame holds, and so the largest message.
	MaxFrame = 64 << 20
	// maxHello is the most that is read of somebody unknown.
	maxHello = 4 << 10
	// batchBytes is where messages that wait are cut into frames.
	batchBytes = 1 << 20
)

// Reasons to end a connection.
var (
	ErrCorrupt = errors.New("link: a frame is damaged")
	ErrTooLong = errors.New("link: a frame is longer than allowed")
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// seal fills in the header, for which the frame's first bytes are reserved.
func seal(frame []byte) {
	body := frame[headerSize:]
	binary.LittleEndian.PutUint32(frame, uint32(len(body)))
	binary.LittleEndian.PutUint32(frame[4:], crc32.Checksum(body, castagnoli))
	binary.LittleEndian.PutUint32(frame[8:], crc32.Checksum(frame[:8], castagnoli))
}

// readFrame reads a frame's body into buf, which it grows as the body arrives:
// an announced length alone costs no memory.
func readFrame(r io.Reader, buf []byte, limit int) ([]byte, error) {
	var header [headerSize]byte
	if _, err := io.ReadFull(r, header[:]); err != nil {
		return buf, err
	}
	if crc32.Checksum(header[:8], castagnoli) != binary.LittleEndian.Uint32(header[8:]) {
		return buf, ErrCorrupt
	}
	length := int64(binary.LittleEndian.Uint32(header[:]))
	if length > int64(limit) {
		return buf, fmt.Errorf("%w: %d bytes, at most %d", ErrTooLong, length, limit)
	}
	buf = buf[:0]
	for len(buf) < int(length) {
		part := min(int(length)-len(buf), batchBytes)
		buf = slices.Grow(buf, part)
		n, err := io.ReadFull(r, buf[len(buf):len(buf)+part])
		buf = buf[:len(buf)+n]
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		if err != nil {
			return buf, err
		}
	}
	if crc32.Checksum(buf, castagnoli) != binary.LittleEndian.Uint32(header[4:]) {
		return buf, ErrCorrupt
	}
	return buf, nil
}
