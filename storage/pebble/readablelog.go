package pebble

import (
	"encoding/binary"
	"hash/crc32"
	"io"
)

// A write-ahead log is blocks of chunks; a record is cut into chunks where a
// block ends. Pebble's package record describes the format.
const (
	logBlock     = 32 << 10
	logHeader    = 4 + 2 + 1 + 4 // checksum, length, kind, log number
	syncedHeader = logHeader + 8 // and how far the log had been synced

	fullChunk        = 5 // the first of four kinds with a logHeader
	syncedFullChunk  = 9 // the first of four with a syncedHeader
	lastKind         = 12
	logChecksumDelta = 0xa282ead8
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// readableLog is the offset up to which a log has nothing but whole chunks of
// its own, and the zeros behind a block's last one. It is at least as strict as
// Pebble's reader: what it passes, Pebble replays.
func readableLog(r io.Reader, num uint32) (int64, error) {
	block := make([]byte, logBlock)
	for base := int64(0); ; base += logBlock {
		n, err := io.ReadFull(r, block)
		if err := ignoreShort(err); err != nil {
			return 0, err
		}
		if at := readableChunks(block[:n], num); at < logBlock {
			return base + int64(at), nil
		}
	}
}

// readableChunks is the offset in a block up to which it is readable: its
// length when all of it is.
func readableChunks(block []byte, num uint32) int {
	at := 0
	for at < len(block) {
		size := chunkSize(block[at:], num)
		if size == 0 {
			break
		}
		at += size
	}
	return at
}

// chunkSize is the length of the chunk that b begins with, or of the zeros that
// fill the block; 0 when it is neither.
func chunkSize(b []byte, num uint32) int {
	if len(b) < syncedHeader && zero(b) {
		return len(b)
	}
	if len(b) < logHeader {
		return 0
	}
	sum, length, kind, log := binary.LittleEndian.Uint32(b), int(binary.LittleEndian.Uint16(b[4:])), b[6], binary.LittleEndian.Uint32(b[7:])
	if sum == 0 && length == 0 && kind == fullChunk && log == num+1 { // the end of a log that was closed
		return logHeader
	}
	size := logHeader + length
	if kind >= syncedFullChunk {
		size = syncedHeader + length
	}
	if kind < fullChunk || kind > lastKind || log != num || size > len(b) {
		return 0
	}
	if c := crc32.Checksum(b[6:size], castagnoli); (c>>15|c<<17)+logChecksumDelta != sum {
		return 0
	}
	return size
}

func zero(b []byte) bool {
	for _, c := range b {
		if c != 0 {
			return false
		}
	}
	return true
}
