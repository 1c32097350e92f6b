package history

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"sync"
	"time"
)

// Writer writes a history. Its methods may be called from any goroutine.
type Writer struct {
	now func() int64

	mu  sync.Mutex
	buf *bufio.Writer
	enc *json.Encoder
	to  io.Writer
	err error // the first one; nothing is written after it
}

// NewWriter begins a history with its config line. The clock starts at 0 now
// and is monotonic.
func NewWriter(to io.Writer, c Config) *Writer {
	start := time.Now()
	return NewWriterAt(to, c, func() int64 { return int64(time.Since(start)) })
}

// NewWriterAt is NewWriter with a clock of the caller's, which never runs back.
func NewWriterAt(to io.Writer, c Config, now func() int64) *Writer {
	w := &Writer{now: now, buf: bufio.NewWriterSize(to, 1<<16), to: to}
	w.enc = json.NewEncoder(w.buf)
	w.enc.SetEscapeHTML(false)
	w.Record(Event{Kind: KindConfig, Config: &c})
	return w
}

// Now is the run's time in nanoseconds, for Event.Call.
func (w *Writer) Now() int64 { return w.now() }

// Record stamps the event with the time and writes it, after all that were
// recorded before, and gives the stamp. Close returns a failure to write.
func (w *Writer) Record(e Event) int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	e.At = w.now()
	if w.err == nil {
		w.err = w.enc.Encode(&e)
	}
	return e.At
}

// Flush hands what was recorded to the underlying writer and gives the first
// failure of it.
func (w *Writer) Flush() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.flush()
}

func (w *Writer) flush() error {
	if w.err == nil {
		w.err = w.buf.Flush()
	}
	if w.err != nil {
		return fmt.Errorf("write history: %w", w.err)
	}
	return nil
}

// Close flushes and, if the underlying writer is an io.Closer, closes it. The
// writer must not be used afterwards.
func (w *Writer) Close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	err := w.flush()
	if c, ok := w.to.(io.Closer); ok {
		if closing := c.Close(); err == nil && closing != nil {
			err = fmt.Errorf("write history: %w", closing)
		}
	}
	return err
}
