package load

import (
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// top is the largest latency that is distinguished, in µs: ten minutes.
const top = 600_000_000

// recorder keeps latencies: of all, and by the second they ended in.
type recorder struct {
	mu      sync.Mutex
	begun   time.Time
	all     *hdrhistogram.Histogram
	seconds []*hdrhistogram.Histogram
}

func newRecorder() *recorder { return &recorder{begun: time.Now(), all: hdrhistogram.New(1, top, 3)} }

// reset forgets everything and begins again: seconds count from a time on.
func (r *recorder) reset(begin time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.begun, r.seconds = begin, nil
	r.all.Reset()
}

func (r *recorder) add(d time.Duration) {
	v := min(max(d.Microseconds(), 1), top)
	r.mu.Lock()
	defer r.mu.Unlock()
	_ = r.all.RecordValue(v) // it is in range
	second := int(time.Since(r.begun) / time.Second)
	for len(r.seconds) <= second {
		r.seconds = append(r.seconds, nil)
	}
	if r.seconds[second] == nil {
		r.seconds[second] = hdrhistogram.New(1, top, 2)
	}
	_ = r.seconds[second].RecordValue(v)
}

// between merges the seconds that began from one time on and before another, with
// their histogram.
func (r *recorder) between(from, to time.Time) Latency {
	r.mu.Lock()
	defer r.mu.Unlock()
	sum := hdrhistogram.New(1, top, 2)
	for i, h := range r.seconds {
		if at := r.begun.Add(time.Duration(i) * time.Second); h != nil && !at.Before(from) && at.Before(to) {
			sum.Merge(h)
		}
	}
	l := summary(sum)
	l.Histogram, _ = sum.Encode(hdrhistogram.V2CompressedEncodingCookieBase) // fails with a writer only
	return l
}

// Latency are percentiles in milliseconds.
type Latency struct {
	Count int64   `json:"count"`
	P50   float64 `json:"p50_ms"`
	P90   float64 `json:"p90_ms"`
	P99   float64 `json:"p99_ms"`
	P999  float64 `json:"p999_ms"`
	Max   float64 `json:"max_ms"`
	// Histogram is all of it, so that results can be put together.
	Histogram []byte `json:"histogram,omitempty"`
}

func summary(h *hdrhistogram.Histogram) Latency {
	ms := func(q float64) float64 { return float64(h.ValueAtQuantile(q)) / 1000 }
	return Latency{Count: h.TotalCount(), P50: ms(50), P90: ms(90), P99: ms(99), P999: ms(99.9), Max: float64(h.Max()) / 1000}
}

func (r *recorder) latency() (Latency, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	l := summary(r.all)
	encoded, err := r.all.Encode(hdrhistogram.V2CompressedEncodingCookieBase)
	l.Histogram = encoded
	return l, err
}

// merge puts two latencies together.
func (l Latency) merge(m Latency) (Latency, error) {
	if l.Count == 0 || m.Count == 0 {
		if l.Count == 0 {
			return m, nil
		}
		return l, nil
	}
	a, err := hdrhistogram.Decode(l.Histogram)
	if err != nil {
		return l, err
	}
	b, err := hdrhistogram.Decode(m.Histogram)
	if err != nil {
		return l, err
	}
	a.Merge(b)
	sum := summary(a)
	sum.Histogram, err = a.Encode(hdrhistogram.V2CompressedEncodingCookieBase)
	return sum, err
}

// Second is one second of a run.
type Second struct {
	At        int     `json:"at"` // seconds since the talk began
	Acked     int64   `json:"acked"`
	Delivered int64   `json:"delivered"`
	P50       float64 `json:"p50_ms"` // of acknowledgements
	P99       float64 `json:"p99_ms"`
}

// series is a recorder of acknowledgements and one of deliveries by the second.
func series(acks, deliveries *recorder) (all []Second) {
	acks.mu.Lock()
	defer acks.mu.Unlock()
	deliveries.mu.Lock()
	defer deliveries.mu.Unlock()
	for i := range max(len(acks.seconds), len(deliveries.seconds)) {
		s := Second{At: i}
		if i < len(acks.seconds) && acks.seconds[i] != nil {
			l := summary(acks.seconds[i])
			s.Acked, s.P50, s.P99 = l.Count, l.P50, l.P99
		}
		if i < len(deliveries.seconds) && deliveries.seconds[i] != nil {
			s.Delivered = deliveries.seconds[i].TotalCount()
		}
		all = append(all, s)
	}
	return all
}
