package pebble

import (
	"errors"
	"io"

	"github.com/cockroachdb/pebble/v2/record"
)

// logTrailer is how long the end of a log is that was closed: a header without
// contents, at which Pebble's reader stops. Nothing else in a log is as short.
const logTrailer = 11

// logBuffer is how much is read at a time, of what Pebble reads by blocks of this
// size.
const logBuffer = 32 << 10

// readableLog says whether Pebble's own reader gets through the first bytes of a
// log, which are those that were synced, and else up to where. They end with a
// chunk or a block, so they are read as if they were all.
func readableLog(r io.Reader, num uint64, synced int64) (readable int64, err error) {
	chunks := newLogReader(record.NewReader, io.LimitReader(r, synced), num)
	part := make([]byte, logBuffer)
	for {
		rec, err := chunks.Next()
		switch {
		case err == io.EOF:
			if at := chunks.Offset(); at < synced-logTrailer {
				return at, nil
			}
			return synced, nil
		case err != nil:
			return readable, unreadable(err)
		}
		readable = chunks.Offset()
		for err == nil {
			if _, err = rec.Read(part); err == nil {
				readable = chunks.Offset() // of the end of the chunk
			}
		}
		if err != io.EOF {
			return readable, unreadable(err)
		}
	}
}

// unreadable leaves the errors of the disk: what does not read as a log ends it.
func unreadable(err error) error {
	if errors.Is(err, record.ErrInvalidChunk) || record.IsInvalidRecord(err) {
		return nil
	}
	return err
}

// newLogReader makes Pebble's reader, whose number has a type that is not
// exported.
func newLogReader[Num ~uint64](of func(io.Reader, Num) *record.Reader, r io.Reader, num uint64) *record.Reader {
	return of(r, Num(num))
}
