package link

import (
	"slices"
	"sync"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/parley-im/parley/proto/peerpb"
)

const (
	// headroom is how far above the bound control messages may fill a queue.
	headroom = 1 << 20
	// maxControl is the size of a message without entries above which it is not
	// a control message.
	maxControl = 1 << 10
	// spareFrames is how many written frames are kept for reuse: one fills while
	// the other is being written.
	spareFrames = 2
	// spareBytes is the largest frame that is kept.
	spareBytes = 2 * batchBytes
)

// queue holds the messages that wait for a peer, encoded, as the frames in
// which they will travel. Messages are appended to the last frame until the
// writer takes it or it has batchBytes, so that whatever waits leaves in one
// write.
type queue struct {
	bound int
	ready chan struct{} // one token: there may be a frame

	mu     sync.Mutex
	opened bool
	frames [][]byte // headers not filled in
	size   int      // bytes of bodies in frames, and of the one being written
	spare  [][]byte
}

func newQueue(bound int) *queue {
	return &queue{bound: bound, ready: make(chan struct{}, 1)}
}

// push appends an encoded message. False: closed or full. A message
// that is alone larger than the bound still fits an empty queue.
func (q *queue) push(m *peerpb.Message) bool {
	size := m.SizeVT()
	field := 1 + protowire.SizeBytes(size)
	bound := q.bound
	if len(m.Entries) == 0 && size <= maxControl {
		bound += headroom
	}
	q.mu.Lock()
	if !q.opened || field > MaxFrame || q.size > 0 && q.size+field > bound {
		q.mu.Unlock()
		return false
	}
	last := len(q.frames) - 1
	if last < 0 || len(q.frames[last])+field > batchBytes {
		q.frames = append(q.frames, q.newFrame())
		last++
	}
	q.frames[last] = appendMessage(q.frames[last], m, size)
	q.size += field
	q.mu.Unlock()
	if last == 0 {
		q.signal()
	}
	return true
}

// appendMessage appends a message as an element of peerpb.Messages.
func appendMessage(frame []byte, m *peerpb.Message, size int) []byte {
	frame = protowire.AppendTag(frame, 1, protowire.BytesType)
	frame = protowire.AppendVarint(frame, uint64(size))
	frame = slices.Grow(frame, size)
	frame = frame[:len(frame)+size]
	// It fails only when the space is too short.
	if _, err := m.MarshalToSizedBufferVT(frame[len(frame)-size:]); err != nil {
		panic(err)
	}
	return frame
}

func (q *queue) newFrame() []byte {
	if n := len(q.spare); n > 0 {
		frame := q.spare[n-1]
		q.spare = q.spare[:n-1]
		return frame[:headerSize]
	}
	if len(q.frames) > 0 { // the one before is full, this one will be
		return make([]byte, headerSize, batchBytes)
	}
	return make([]byte, headerSize, 4<<10)
}

func (q *queue) signal() {
	select {
	case q.ready <- struct{}{}:
	default:
	}
}

// take gives the first frame, or nil. What it holds still counts until wrote.
func (q *queue) take() []byte {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.frames) == 0 {
		return nil
	}
	frame := q.frames[0]
	q.frames = slices.Delete(q.frames, 0, 1)
	return frame
}

// wrote gives a taken frame back.
func (q *queue) wrote(frame []byte) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.opened {
		q.size -= len(frame) - headerSize
	}
	if len(q.spare) < spareFrames && cap(frame) <= spareBytes {
		q.spare = append(q.spare, frame)
	}
}

// open lets messages in; nothing waits yet.
func (q *queue) open() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.opened, q.frames, q.size = true, nil, 0
}

// close drops what waits.
func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.opened, q.frames, q.size = false, nil, 0
}

func (q *queue) bytes() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.size
}
