package history

import (
	"bufio"
	"errors"
	"fmt"
	"io"
)

// MaxLine is the longest line in bytes that a Reader accepts.
const MaxLine = 1 << 20

// Error says where a history cannot be read.
type Error struct {
	Line int // from 1
	Err  error
}

// Error is "history line 12: ...".
func (e *Error) Error() string { return fmt.Sprintf("history line %d: %v", e.Line, e.Err) }

// Unwrap is the reason.
func (e *Error) Unwrap() error { return e.Err }

// The reasons beside those of encoding/json and of the underlying reader.
var (
	ErrNoConfig  = errors.New("the first line is no config")
	ErrTime      = errors.New("the time runs back")
	ErrTruncated = errors.New("the last line has no end: the history was cut")
)

// Reader reads a history one event at a time, in memory bounded by MaxLine.
type Reader struct {
	Config Config

	decoder decoder
	in      *bufio.Reader
	line    int
	last    int64
	long    []byte // a line that is longer than in's buffer
}

// NewReader reads the first line. Errors are *Error.
func NewReader(from io.Reader) (*Reader, error) {
	r := &Reader{in: bufio.NewReaderSize(from, 1<<16)}
	var e Event
	switch err := r.Next(&e); {
	case err == io.EOF:
		return nil, &Error{1, ErrNoConfig}
	case err != nil:
		return nil, err
	case e.Kind != KindConfig || e.Config == nil:
		return nil, &Error{1, ErrNoConfig}
	}
	r.Config = *e.Config
	return r, nil
}

// Next overwrites e with the next event. io.EOF is the end; other errors are
// *Error and final.
func (r *Reader) Next(e *Event) error {
	r.line++
	text, err := r.read()
	switch {
	case err == io.EOF:
		return io.EOF
	case err != nil:
		return &Error{r.line, err}
	}
	if err := r.decoder.decode(text, e); err != nil {
		return &Error{r.line, err}
	}
	if e.At < r.last {
		return &Error{r.line, fmt.Errorf("%w from %d to %d", ErrTime, r.last, e.At)}
	}
	r.last = e.At
	return nil
}

// Line is the number of the line that Next gave last.
func (r *Reader) Line() int { return r.line }

// read gives the next line, which is valid until the next call.
func (r *Reader) read() ([]byte, error) {
	text, err := r.in.ReadSlice('\n')
	if err == nil {
		return text, nil
	}
	r.long = append(r.long[:0], text...)
	for err == bufio.ErrBufferFull {
		if len(r.long) > MaxLine {
			return nil, fmt.Errorf("longer than %d bytes: %w", MaxLine, bufio.ErrTooLong)
		}
		text, err = r.in.ReadSlice('\n')
		r.long = append(r.long, text...)
	}
	if err == io.EOF && len(r.long) > 0 {
		return nil, ErrTruncated
	}
	return r.long, err
}
