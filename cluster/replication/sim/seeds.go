package sim

import (
	"fmt"
	"io"
	"time"
)

// Summary is what a number of runs gave.
type Summary struct {
	Seeds, Violations int
	FirstBad          uint64 // 0: none
	Stats
}

// String is the last line of a report.
func (s Summary) String() string {
	bad := "none"
	if s.Violations > 0 {
		bad = fmt.Sprint(s.FirstBad)
	}
	return fmt.Sprintf("seeds=%d violations=%d first_bad=%s", s.Seeds, s.Violations, bad)
}

// Add takes another part of the runs in.
func (s *Summary) Add(p Summary) {
	s.Seeds += p.Seeds
	s.Violations += p.Violations
	if p.FirstBad != 0 && (s.FirstBad == 0 || p.FirstBad < s.FirstBad) {
		s.FirstBad = p.FirstBad
	}
	s.Stats.add(p.Stats)
}

func (s *Stats) add(p Stats) {
	s.Events += p.Events
	s.Acked += p.Acked
	s.Reads += p.Reads
	s.Crashes += p.Crashes
	s.Snapshots += p.Snapshots
	s.Installs += p.Installs
	s.Changes += p.Changes
	s.Destroys += p.Destroys
	s.Gained += p.Gained
	s.Wiped += p.Wiped
	s.Truncations += p.Truncations
	s.Restored += p.Restored
	s.Recovery = max(s.Recovery, p.Recovery)
	s.Virtual += p.Virtual
}

// Report tells how a seed failed: the violation and what led to it.
func (r Result) Report(w io.Writer, lines int) {
	_, _ = fmt.Fprintf(w, "seed %d: %s\n", r.Seed, r.Violation)
	for _, l := range r.Tail[max(0, len(r.Tail)-lines):] {
		_, _ = fmt.Fprintln(w, "   ", l)
	}
}

// tailShown is how many events a report shows.
const tailShown = 60

// Seeds runs every step-th of count seeds from first on, and reports violations
// and, now and then, how far it is.
func Seeds(w io.Writer, first, count, step uint64, o Options) (sum Summary) {
	begun, told := time.Now(), time.Now()
	for i := uint64(0); i < count; i += step {
		res := Run(first+i, o)
		part := Summary{Seeds: 1, Stats: res.Stats}
		if res.Violation != "" {
			part.Violations, part.FirstBad = 1, res.Seed
			res.Report(w, tailShown)
		}
		sum.Add(part)
		if time.Since(told) > 10*time.Second {
			told = time.Now()
			_, _ = fmt.Fprintf(w, "%v (%.0f seeds/s)\n", sum, float64(sum.Seeds)/time.Since(begun).Seconds())
		}
	}
	return sum
}
