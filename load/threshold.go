package load

import (
	"errors"
	"fmt"
	"time"
)

// Thresholds are what a result must keep; zeros ask for nothing.
type Thresholds struct {
	MinRate           float64 // acknowledged messages a second
	MaxP99, MaxE2EP99 time.Duration
	MaxStorm          time.Duration // until all are back
}

// ErrBroken says that a promise was broken, ErrThreshold that a threshold was.
var (
	ErrBroken    = errors.New("broken promises")
	ErrThreshold = errors.New("a threshold was missed")
)

// Check gives everything that is wrong with a result, or nil.
func (t Thresholds) Check(r Result) error {
	var wrong []error
	miss := func(missed bool, format string, args ...any) {
		if missed {
			wrong = append(wrong, fmt.Errorf("%w: %s", ErrThreshold, fmt.Sprintf(format, args...)))
		}
	}
	if n := r.BrokenCount(); n > 0 {
		wrong = append(wrong, fmt.Errorf("%w: %d", ErrBroken, n))
	}
	ms := func(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
	miss(t.MinRate > 0 && r.AckedRate < t.MinRate, "%.0f acknowledged/s, at least %.0f are wanted", r.AckedRate, t.MinRate)
	miss(t.MaxP99 > 0 && r.Ack.P99 > ms(t.MaxP99), "acknowledgement p99 %.2f ms, at most %v is wanted", r.Ack.P99, t.MaxP99)
	miss(t.MaxE2EP99 > 0 && r.EndToEnd.P99 > ms(t.MaxE2EP99), "delivery p99 %.2f ms, at most %v is wanted", r.EndToEnd.P99, t.MaxE2EP99)
	if s := r.Storm; s != nil {
		miss(s.Missing > 0, "%d sessions did not come back", s.Missing)
		miss(t.MaxStorm > 0 && s.Seconds > t.MaxStorm.Seconds(), "all were back after %.1f s, at most %v is wanted", s.Seconds, t.MaxStorm)
	}
	return errors.Join(wrong...)
}
