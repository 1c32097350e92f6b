package report

import (
	"cmp"
	"io"
	"slices"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/parley-im/parley/chaos/check"
	"github.com/parley-im/parley/chaos/history"
)

// series is the run in buckets of equal width.
type series struct {
	width   int64 // ns
	buckets []bucket
}

// bucket is what happened in its time.
type bucket struct {
	acks, failures int
	latency        *hdrhistogram.Histogram // µs; nil without acks
}

// mostBuckets bounds the memory and the page; buckets have a second at least.
const mostBuckets = 300

// longestLatency is the highest latency that is distinguished, in µs.
const longestLatency = int64(10 * time.Minute / time.Microsecond)

// readSeries reads the history up to its final event.
func readSeries(r *history.Reader, end int64) (*series, error) {
	s := &series{width: int64(time.Second)}
	for end/s.width >= mostBuckets {
		s.width += int64(time.Second)
	}
	sent := map[uint64]int64{}
	var e history.Event
	for {
		switch err := r.Next(&e); {
		case err == io.EOF:
			return s, nil
		case err != nil:
			return nil, err
		}
		switch e.Kind {
		case history.KindFinal:
			s.at(e.At) // the time up to it is shown, whatever happened last
			return s, nil
		case history.KindSend:
			sent[e.Op] = e.At
		case history.KindOK:
			b := s.at(e.At)
			b.acks++
			if b.latency == nil {
				b.latency = hdrhistogram.New(1, longestLatency, 2)
			}
			_ = b.latency.RecordValue(min(longestLatency, (e.At-sent[e.Op])/1000)) // within its bounds
			delete(sent, e.Op)
		case history.KindFail, history.KindUnknown:
			s.at(e.At).failures++
			delete(sent, e.Op)
		}
	}
}

// at is the bucket of a time.
func (s *series) at(t int64) *bucket {
	i := int(t / s.width)
	for len(s.buckets) <= i {
		s.buckets = append(s.buckets, bucket{})
	}
	return &s.buckets[i]
}

// end is the time that the buckets cover.
func (s *series) end() int64 { return s.width * int64(max(1, len(s.buckets))) }

// percentile in ms; 0 without acks.
func (b *bucket) percentile(p float64) float64 {
	if b.latency == nil {
		return 0
	}
	return float64(b.latency.ValueAtPercentile(p)) / 1000
}

// bucketView is a bucket as a row of a table; times in ms.
type bucketView struct {
	From           int64 // ns
	Rate           float64
	Failures       int
	Acked          bool
	P50, P99, Most float64
}

func (s *series) views() (all []bucketView) {
	for i := range s.buckets {
		b := &s.buckets[i]
		all = append(all, bucketView{
			From: int64(i) * s.width, Rate: s.rate(b), Failures: b.failures, Acked: b.acks > 0,
			P50: b.percentile(50), P99: b.percentile(99), Most: b.percentile(100),
		})
	}
	return all
}

// rate is a bucket's acknowledgements a second.
func (s *series) rate(b *bucket) float64 { return float64(b.acks) / time.Duration(s.width).Seconds() }

// longest gives so many windows, the longest first.
func longest(all []check.Window, most int) []check.Window {
	all = slices.Clone(all)
	slices.SortStableFunc(all, func(a, b check.Window) int { return cmp.Compare(b.To-b.From, a.To-a.From) })
	return all[:min(most, len(all))]
}
