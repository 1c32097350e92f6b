package load

import (
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/parley-im/parley/chat"
)

// Result is what a run found. All times are the generator's.
type Result struct {
	Plan    Summary   `json:"plan"`
	Started time.Time `json:"started"`
	// Seconds is how long the talk lasted.
	Seconds     float64     `json:"seconds"`
	Calibration Calibration `json:"calibration"`

	Sessions  int64   `json:"sessions"` // at the end of the talk
	Acked     int64   `json:"acked"`    // of the whole run; the rates are of the talk alone
	Delivered int64   `json:"delivered"`
	AckedRate float64 `json:"acked_per_second"`
	// Ack is from the intended send to the acknowledgement, EndToEnd to the push at
	// the receiver; Login is an attempt that was let in, Page a page of history.
	Ack      Latency `json:"ack"`
	EndToEnd Latency `json:"end_to_end"`
	Login    Latency `json:"login"`
	Page     Latency `json:"page"`

	Refused    map[chat.Code]int64 `json:"refused"` // by code
	Retried    int64               `json:"retried"`
	Repeated   int64               `json:"repeated"` // pushes of known messages
	Filled     int64               `json:"filled"`   // messages that a side found in the history only
	Reconnects int64               `json:"reconnects"`
	Unanswered int64               `json:"unanswered"` // messages whose outcome is still unknown

	// Checked says that all conversations were looked through; Broken counts the
	// promises that were not kept, by kind, and Wrong holds some of them.
	Checked bool           `json:"checked"`
	Broken  map[string]int `json:"broken"`
	Wrong   []Wrong        `json:"wrong,omitempty"`

	Server    *Server  `json:"server,omitempty"`
	Generator float64  `json:"generator_cpu_seconds"` // of the talk
	Machine   Machine  `json:"machine"`               // during the talk
	Storm     *Storm   `json:"storm,omitempty"`
	Deaf      *Deaf    `json:"deaf,omitempty"`
	Series    []Second `json:"series"`
}

// Summary is what a plan says of itself.
type Summary struct {
	Targets  []string `json:"targets"`
	Users    int      `json:"users"`
	Scenario Scenario `json:"scenario"`
	Rate     int      `json:"rate,omitempty"`
	Closed   int      `json:"closed,omitempty"`
	Size     int      `json:"size"`
	Seconds  float64  `json:"seconds"`
}

// Server is what the measured processes used, together.
type Server struct {
	CPUSeconds float64 `json:"cpu_seconds"` // of the talk
	// CPUPer100k is for 100,000 deliveries.
	CPUPer100k float64 `json:"cpu_seconds_per_100k"`
	RSSBefore  int64   `json:"rss_before_bytes"` // nobody is logged in
	RSSIdle    int64   `json:"rss_idle_bytes"`   // all are, and say nothing
	RSSAfter   int64   `json:"rss_after_bytes"`
	KBPerUser  float64 `json:"kb_per_idle_user"`
}

// Storm is many sessions that are cut at once.
type Storm struct {
	Sessions int     `json:"sessions"`
	Missing  int64   `json:"missing"` // that did not come back
	Seconds  float64 `json:"seconds"` // until all were back
	// Before and During are the acknowledgements of users that were not cut.
	Before Latency `json:"untouched_before"`
	During Latency `json:"untouched_during"`
	// After is by the second, from the cut to the end of the talk; During is of the
	// first ones, once it is known how long the storm lasted.
	After []Latency `json:"untouched_after,omitempty"`
}

// merge puts the storm of another process of the same run to it.
func (s *Storm) merge(t *Storm) (err error) {
	s.Sessions, s.Missing, s.Seconds = s.Sessions+t.Sessions, s.Missing+t.Missing, max(s.Seconds, t.Seconds)
	if s.Before, err = s.Before.merge(t.Before); err != nil {
		return err
	}
	for i := range min(len(s.After), len(t.After)) {
		if s.After[i], err = s.After[i].merge(t.After[i]); err != nil {
			return err
		}
	}
	return nil
}

// conclude makes During of After: the time of the storm and a second more.
func (s *Storm) conclude() (err error) {
	lasted := int(math.Ceil(s.Seconds)) + 1
	for _, l := range s.After[:min(lasted, len(s.After))] {
		if s.During, err = s.During.merge(l); err != nil {
			return err
		}
	}
	s.Before.Histogram, s.During.Histogram, s.After = nil, nil, nil
	return nil
}

// Deaf is clients that do not read.
type Deaf struct {
	Users     int     `json:"users"`
	RSSBefore int64   `json:"rss_before_bytes"`
	RSSAfter  int64   `json:"rss_after_bytes"`
	Before    Latency `json:"others_before"`
	During    Latency `json:"others_during"`
}

// maxWrong is how many broken promises a result tells in full.
const maxWrong = 20

func (r *Result) broke(wrong []Wrong) {
	if r.Broken == nil {
		r.Broken = make(map[string]int)
	}
	for _, w := range wrong {
		r.Broken[w.Kind]++
		if len(r.Wrong) < maxWrong {
			r.Wrong = append(r.Wrong, w)
		}
	}
}

// BrokenCount is how many promises were not kept.
func (r *Result) BrokenCount() (n int) {
	for _, k := range r.Broken {
		n += k
	}
	return n
}

// Merge puts results of processes that ran side by side together. The first
// measures the server.
func Merge(all []Result) (sum Result, err error) {
	sum = all[0]
	for _, r := range all[1:] {
		sum.Plan.Users += r.Plan.Users
		sum.Plan.Rate += r.Plan.Rate
		sum.Seconds = max(sum.Seconds, r.Seconds)
		sum.Sessions += r.Sessions
		sum.Acked += r.Acked
		sum.Delivered += r.Delivered
		sum.AckedRate += r.AckedRate
		sum.Retried += r.Retried
		sum.Repeated += r.Repeated
		sum.Filled += r.Filled
		sum.Reconnects += r.Reconnects
		sum.Unanswered += r.Unanswered
		sum.Generator += r.Generator
		sum.Checked = sum.Checked && r.Checked
		sum.Wrong = append(sum.Wrong, r.Wrong...)
		sum.Refused = add(sum.Refused, r.Refused)
		sum.Broken = add(sum.Broken, r.Broken)
		for to, from := range map[*Latency]Latency{&sum.Ack: r.Ack, &sum.EndToEnd: r.EndToEnd, &sum.Login: r.Login, &sum.Page: r.Page} {
			if *to, err = to.merge(from); err != nil {
				return sum, err
			}
		}
		sum.Series = addSeries(sum.Series, r.Series)
		if sum.Storm != nil { // then they all have one
			if err := sum.Storm.merge(r.Storm); err != nil {
				return sum, err
			}
		}
		switch s, t := sum.Deaf, r.Deaf; {
		case s == nil:
			sum.Deaf = t
		case t != nil:
			s.Users += t.Users
		}
	}
	if s := sum.Server; s != nil && sum.Delivered > 0 {
		s.CPUPer100k = s.CPUSeconds / float64(sum.Delivered) * 100_000
		s.KBPerUser = float64(s.RSSIdle-s.RSSBefore) / 1024 / float64(sum.Plan.Users)
	}
	if sum.Storm != nil {
		err = sum.Storm.conclude()
	}
	return sum, err
}

func add[K comparable, V int | int64](a, b map[K]V) map[K]V {
	sum := maps.Clone(a)
	if sum == nil {
		sum = make(map[K]V)
	}
	for k, v := range b {
		sum[k] += v
	}
	return sum
}

// addSeries adds counts; of the percentiles the worse one stays.
func addSeries(a, b []Second) []Second {
	sum := slices.Clone(a)
	for i, s := range b {
		if i == len(sum) {
			sum = append(sum, s)
			continue
		}
		sum[i].Acked += s.Acked
		sum[i].Delivered += s.Delivered
		sum[i].P50, sum[i].P99 = max(sum[i].P50, s.P50), max(sum[i].P99, s.P99)
	}
	return sum
}

// Print tells the result in words and figures.
func (r *Result) Print(w io.Writer) {
	say := func(format string, args ...any) { fmt.Fprintf(w, format+"\n", args...) }
	say("calibration: fsync of 256 B here p50 %.2f ms p99 %.2f ms; WebSocket ping there and back p50 %.3f ms p99 %.3f ms", r.Calibration.FsyncP50, r.Calibration.FsyncP99, r.Calibration.EchoP50, r.Calibration.EchoP99)
	if !r.Checked {
		say("the conversations were not checked: no figures")
		return
	}
	say("%-22s %10s %9s %9s %9s %9s %9s", "", "count", "p50 ms", "p90 ms", "p99 ms", "p99.9 ms", "max ms")
	for _, l := range []struct {
		name string
		Latency
	}{{"login", r.Login}, {"acknowledged", r.Ack}, {"delivered", r.EndToEnd}, {"page of history", r.Page}} {
		if l.Count > 0 {
			say("%-22s %10d %9.2f %9.2f %9.2f %9.2f %9.2f", l.name, l.Count, l.P50, l.P90, l.P99, l.P999, l.Max)
		}
	}
	say("%.0f acknowledged/s over %.1f s; %d acknowledged, %d delivered in all; refused %v, %d said again, %d pushed again, %d fetched, %d reconnects",
		r.AckedRate, r.Seconds, r.Acked, r.Delivered, r.Refused, r.Retried, r.Repeated, r.Filled, r.Reconnects)
	if s := r.Server; s != nil {
		say("server: %.1f CPU-s, %.1f per 100k delivered; %.1f MB resident with nobody, %.1f with all idle (%.1f KB each), %.1f at the end",
			s.CPUSeconds, s.CPUPer100k, mb(s.RSSBefore), mb(s.RSSIdle), s.KBPerUser, mb(s.RSSAfter))
	}
	r.printMachine(say)
	if s := r.Storm; s != nil {
		say("storm: %d sessions cut at once, all back after %.1f s, %d missing; acknowledgements of the others p50 %.2f p99 %.2f ms before, p50 %.2f p99 %.2f ms during",
			s.Sessions, s.Seconds, s.Missing, s.Before.P50, s.Before.P99, s.During.P50, s.During.P99)
	}
	if d := r.Deaf; d != nil {
		say("deaf: %d clients stopped reading; server %.1f → %.1f MB; acknowledgements of the others p50 %.2f p99 %.2f ms before, p50 %.2f p99 %.2f ms during",
			d.Users, mb(d.RSSBefore), mb(d.RSSAfter), d.Before.P50, d.Before.P99, d.During.P50, d.During.P99)
	}
	if n := r.BrokenCount(); n > 0 {
		say("%d broken promises: %v; the first: %s: %s", n, r.Broken, r.Wrong[0].Kind, r.Wrong[0].Text)
		return
	}
	say("checked: each message once, in order, known to both sides; 0 lost, %d with an outcome that is still unknown", r.Unanswered)
}

// printMachine tells what else the machine had to do, and what it was kept from.
func (r *Result) printMachine(say func(string, ...any)) {
	known, others := r.Generator, "others and the server, if it is here"
	if r.Server != nil {
		known, others = known+r.Server.CPUSeconds, "others than it and the server"
	}
	say("generator: %.1f CPU-s; %s: about %.1f; of the time of the machine's %d cores the host kept %.0f %%",
		r.Generator, others, max(0, r.Machine.Busy-known), r.Machine.Cores, 100*r.Machine.StolenShare())
}

func mb(bytes int64) float64 { return float64(bytes) / (1 << 20) }
