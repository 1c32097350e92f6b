package link

import (
	"sync"
	"time"

	"github.com/parley-im/parley/proto/peerpb"
	"github.com/parley-im/parley/storage"
)

// Clock is compared with the clocks of other nodes.
type Clock interface {
	// Wall is the own clock.
	Wall() time.Time
	// Observe takes a reading of another node's clock, made in the middle of a round
	// trip that ends now. It must not block.
	Observe(node storage.NodeID, wall time.Time, roundTrip time.Duration)
}

// Waits between readings: the first ones of a connection come soon, as its nodes
// may have just started.
const (
	clockSoon  = 20 * time.Millisecond
	clockEvery = 500 * time.Millisecond
	soonFor    = 5 // readings
)

// readings are those of both sides of a connection.
type readings struct {
	mu      sync.Mutex
	number  uint64       // of the newest one sent
	sent    [4]time.Time // when, by number: an answer may cross the next one
	heard   uint64       // the other side's newest
	heardAt time.Time
}

// next makes a reading.
func (r *readings) next(c Clock) *peerpb.Messages {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.number++
	r.sent[r.number%uint64(len(r.sent))] = time.Now()
	return &peerpb.Messages{Clock: &peerpb.Clock{
		Number: r.number, WallUs: c.Wall().UnixMicro(), Echo: r.heard, HeldUs: uint64(time.Since(r.heardAt).Microseconds()),
	}}
}

// wait is how long the next one waits.
func (r *readings) wait() time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.number < soonFor {
		return clockSoon
	}
	return clockEvery
}

// take takes the other side's.
func (r *readings) take(node storage.NodeID, m *peerpb.Clock, c Clock) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.heard, r.heardAt = m.Number, time.Now()
	if m.Echo == 0 || m.Echo > r.number || r.number-m.Echo >= uint64(len(r.sent)) {
		return
	}
	held := time.Duration(m.HeldUs) * time.Microsecond
	roundTrip := r.heardAt.Sub(r.sent[m.Echo%uint64(len(r.sent))]) - held
	if held >= 0 && roundTrip >= 0 {
		c.Observe(node, time.UnixMicro(m.WallUs), roundTrip)
	}
}
