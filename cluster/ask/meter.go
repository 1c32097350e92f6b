package ask

import (
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/parley-im/parley/proto/method"
)

// slowRequest is how long an answer may take before it is worth a line of the
// log; slowEvery is how often there is one at most.
const (
	slowRequest = time.Second
	slowEvery   = time.Second
)

// Meter counts what a node's clients asked, by method.
type Meter struct {
	log     *slog.Logger
	begun   time.Time
	slow    atomic.Int64        // when a slow request was last logged, since begun
	counted [method.Push]*Count // by number
}

// Count is what was asked of one method and answered.
type Count struct {
	Answered, Refused atomic.Uint64 // of what was answered, what was refused
	Nanoseconds       atomic.Uint64 // until the answers, together
}

// NewMeter makes one of all methods that there are.
func NewMeter(log *slog.Logger) *Meter {
	m := &Meter{log: log, begun: time.Now()}
	for _, row := range method.All() {
		m.counted[row.Number] = new(Count)
	}
	return m
}

// Of gives a method's count.
func (m *Meter) Of(row *method.Method) *Count { return m.counted[row.Number] }

// Done notes an answer, and how long after the request it was given.
func (m *Meter) Done(row *method.Method, took time.Duration, refused bool) {
	c := m.Of(row)
	c.Answered.Add(1)
	c.Nanoseconds.Add(uint64(took))
	if refused {
		c.Refused.Add(1)
	}
	if took < slowRequest {
		return
	}
	now, last := time.Since(m.begun), m.slow.Load()
	if (last == 0 || now-time.Duration(last) >= slowEvery) && m.slow.CompareAndSwap(last, int64(now)) {
		m.log.Warn("a request was slow", "method", row.Path, "took", took, "refused", refused)
	}
}
