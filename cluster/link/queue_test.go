package link

import (
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"time"

	"github.com/parley-im/parley/proto/peerpb"
)

func appendOf(size int) *peerpb.Message {
	return &peerpb.Message{Entries: []*peerpb.Entry{{Data: make([]byte, size)}}}
}

func decode(t *testing.T, frame []byte) []*peerpb.Message {
	t.Helper()
	var all peerpb.Messages
	if err := all.UnmarshalVT(frame[headerSize:]); err != nil {
		t.Fatal(err)
	}
	return all.Messages
}

func TestWhatWaitsIsOneFrameUpToTheBatchSize(t *testing.T) {
	q := newQueue(16 << 20)
	if q.push(appendOf(1)) {
		t.Fatal("a closed queue took a message")
	}
	q.open()
	for i := range 1000 {
		q.push(&peerpb.Message{Index: uint64(i)})
	}
	frame := q.take()
	for i, m := range decode(t, frame) {
		if m.Index != uint64(i) {
			t.Fatalf("message %d has index %d", i, m.Index)
		}
	}
	if q.take() != nil {
		t.Error("more than one frame")
	}
	q.wrote(frame)
	if q.bytes() != 0 {
		t.Errorf("%d bytes wait", q.bytes())
	}
	for range 11 {
		q.push(appendOf(100 << 10))
	}
	q.push(appendOf(3 << 20))
	q.push(appendOf(10))
	for _, want := range []int{10, 1, 1, 1} {
		if frame = q.take(); len(decode(t, frame)) != want {
			t.Errorf("%d messages in a frame, want %d", len(decode(t, frame)), want)
		}
		if want > 1 && len(frame) > batchBytes {
			t.Errorf("a frame of %d bytes", len(frame))
		}
	}
}

func TestAFrameBeingWrittenCounts(t *testing.T) {
	q := newQueue(100 << 10)
	q.open()
	q.push(appendOf(99 << 10))
	frame := q.take()
	if q.push(appendOf(2 << 10)) {
		t.Error("took more than the bound")
	}
	q.wrote(frame)
	if !q.push(appendOf(2 << 10)) {
		t.Error("did not take what fits")
	}
}

func TestControlMessagesHaveHeadroomThatEnds(t *testing.T) {
	q := newQueue(1 << 10)
	q.open()
	q.push(appendOf(1000))
	control := &peerpb.Message{Context: make([]byte, 900)}
	for q.push(control) {
		if q.push(appendOf(1)) {
			t.Fatal("an append used the headroom")
		}
	}
	if n := q.bytes(); n < headroom || n > headroom+1<<10 {
		t.Errorf("%d bytes wait", n)
	}
}

func TestAnAnnouncedLengthCostsNoMemory(t *testing.T) {
	announce := func(n int) io.Reader {
		frame := make([]byte, headerSize+n)
		seal(frame)
		r, w := io.Pipe()
		go func() { _, _ = w.Write(frame[:headerSize]); w.Close() }()
		return r
	}
	buf, err := readFrame(announce(MaxFrame+1), nil, MaxFrame)
	if !errors.Is(err, ErrTooLong) || cap(buf) != 0 {
		t.Errorf("%v, %d bytes", err, cap(buf))
	}
	buf, err = readFrame(announce(MaxFrame), nil, MaxFrame)
	if !errors.Is(err, io.ErrUnexpectedEOF) || cap(buf) > 2*batchBytes {
		t.Errorf("%v, %d bytes", err, cap(buf))
	}
}

// stalled is a socket whose deadline passed while bytes waited.
type stalled struct {
	net.Conn
	reads int
	data  int // the read that finds data
}

func (s *stalled) SetReadDeadline(time.Time) error { return nil }

func (s *stalled) Read(p []byte) (int, error) {
	s.reads++
	if s.reads == s.data {
		return len(p), nil
	}
	return 0, os.ErrDeadlineExceeded
}

func TestAProcessThatWasStalledLooksAgain(t *testing.T) {
	for data, want := range map[int]error{1: nil, 2: nil, 3: ErrSilent} {
		w := &watched{Conn: &stalled{data: data}, silence: time.Second}
		if _, err := w.Read(make([]byte, 1)); err != want {
			t.Errorf("data at read %d: %v, want %v", data, err, want)
		}
	}
}
