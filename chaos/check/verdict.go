package check

import (
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/parley-im/parley/chaos/history"
)

// Class is a kind of violation.
type Class string

// The classes, in the order in which they are listed.
const (
	Lost     Class = "lost"     // acknowledged or shown to somebody, and in no log
	Missing  Class = "missing"  // in the log of one replica, not of another
	Dup      Class = "dup"      // one message twice: in a log, in acks, to a device
	Gap      Class = "gap"      // a hole in a log, a page or what a device got
	Reorder  Class = "reorder"  // against real time, or told at another place
	Diverge  Class = "diverge"  // replicas differ, or two messages at one seq
	Corrupt  Class = "corrupt"  // another content or sender than was sent
	Stale    Class = "stale"    // a read older than what was known before
	Phantom  Class = "phantom"  // never sent, or refused, and there nevertheless
	Late     Class = "late"     // delivered too late or not at all
	Unread   Class = "unread"   // a wrong unread count or read mark
	Auth     Class = "auth"     // a success without a valid token
	Tenant   Class = "tenant"   // seen by another app
	Outage   Class = "outage"   // a conversation down too long
	Untyped  Class = "untyped"  // a refusal without a code
	Linear   Class = "linear"   // porcupine finds no order
	NoEffect Class = "noeffect" // a fault that was not seen to take effect
)

// Classes are all of them.
var Classes = []Class{
	Lost, Missing, Dup, Gap, Reorder, Diverge, Corrupt, Stale, Phantom, Late, Unread, Auth, Tenant, Outage, Untyped, Linear, NoEffect,
}

// MaxExamples is how many examples of a class a verdict tells.
const MaxExamples = 5

// Verdict is what a history shows. Times are nanoseconds of the run's clock.
type Verdict struct {
	Config history.Config `json:"config"`
	Events int            `json:"events"`
	End    int64          `json:"end"` // the last event's time

	// Messages by outcome: Sent is the sum of the three others, Retried of those
	// that were sent more than once.
	Sent    int `json:"sent"`
	Acked   int `json:"acked"`
	Unknown int `json:"unknown"`
	Failed  int `json:"failed"`
	Retried int `json:"retried"`

	Delivered     int `json:"delivered"`
	Reads         int `json:"reads"`
	Conversations int `json:"conversations"`
	LogEntries    int `json:"log_entries"`

	Counts     map[Class]int      `json:"counts"` // of all Classes
	Examples   map[Class][]string `json:"examples,omitempty"`
	Invariants []Invariant        `json:"invariants"`
	Faults     []Fault            `json:"faults,omitempty"`
	// Windows are the times without acknowledgement of at least MinWindow, by
	// their beginning; Recoveries sums them up by the fault that caused them.
	Windows    []Window   `json:"windows,omitempty"`
	Recoveries []Recovery `json:"recoveries,omitempty"`
	// Notes say what could not be judged.
	Notes []string `json:"notes,omitempty"`
}

// Invariant is one promise and how much of it the history tried.
type Invariant struct {
	ID      string `json:"id"`
	Promise string `json:"promise"`
	// Exercised counts Unit, the events that could have shown it broken.
	Exercised int    `json:"exercised"`
	Unit      string `json:"unit"`
	Broken    int    `json:"broken"`
}

// Fault is one fault of the run. Times are 0 for what did not happen.
type Fault struct {
	Op     uint64 `json:"op"`
	Kind   string `json:"kind"`
	Node   string `json:"node,omitempty"`
	Text   string `json:"text,omitempty"`
	Seen   string `json:"seen,omitempty"` // the effect's evidence
	At     int64  `json:"at"`
	Effect int64  `json:"effect,omitempty"`
	Heal   int64  `json:"heal,omitempty"`
	Healed int64  `json:"healed,omitempty"`
}

// MinWindow is the shortest time without acknowledgement that a verdict tells.
const MinWindow = 100 * time.Millisecond

// Window is a time in which a conversation had sends under way or refused, and
// none acknowledged.
type Window struct {
	App          uint32 `json:"app"`
	Conversation string `json:"conv"`
	Shard        uint16 `json:"shard,omitempty"` // 0: not known
	From         int64  `json:"from"`
	To           int64  `json:"to"`
	// Fault is the op of the fault to blame: the last that began before the window
	// ended, if it was not healed before it began. 0: none.
	Fault uint64 `json:"fault,omitempty"`
	// Open: it had not ended when the attempts did.
	Open bool `json:"open,omitempty"`
}

// Recovery is how long conversations were without acknowledgement by a kind of
// fault, of those that were for MinWindow.
type Recovery struct {
	Fault   string `json:"fault"` // empty: without a fault
	Windows int    `json:"windows"`
	// ns
	P50 int64 `json:"p50"`
	P99 int64 `json:"p99"`
	Max int64 `json:"max"`
}

// OK says that no promise was seen broken.
func (v *Verdict) OK() bool { return v.Violations() == 0 }

// Violations counts all classes but NoEffect.
func (v *Verdict) Violations() (n int) {
	for class, count := range v.Counts {
		if class != NoEffect {
			n += count
		}
	}
	return n
}

// Ineffective counts the faults that were not seen to take effect.
func (v *Verdict) Ineffective() int { return v.Counts[NoEffect] }

// State is "ok", "broken", or "not exercised" when the history holds nothing
// that could have shown it broken.
func (i Invariant) State() string {
	switch {
	case i.Broken > 0:
		return "broken"
	case i.Exercised == 0:
		return "not exercised"
	}
	return "ok"
}

// Print writes the verdict for a reader at a terminal.
func (v *Verdict) Print(w io.Writer) error {
	p := printer{w: w}
	p.line("seed %d, revision %s: %d events in %v", v.Config.Seed, v.Config.Revision, v.Events, time.Duration(v.End).Round(time.Millisecond))
	p.line("%d messages: %d acknowledged, %d unknown, %d refused; %d retried; %d deliveries, %d reads, %d log entries",
		v.Sent, v.Acked, v.Unknown, v.Failed, v.Retried, v.Delivered, v.Reads, v.LogEntries)
	for _, i := range v.Invariants {
		p.line("%-5s %-13s %s (%d %s)", i.ID, i.State(), i.Promise, i.Exercised, i.Unit)
	}
	for _, r := range v.Recoveries {
		p.line("without acknowledgement under %q: %d times, p50 %v, p99 %v, max %v", r.Fault, r.Windows,
			time.Duration(r.P50).Round(time.Millisecond), time.Duration(r.P99).Round(time.Millisecond), time.Duration(r.Max).Round(time.Millisecond))
	}
	for _, class := range Classes {
		if v.Counts[class] > 0 {
			p.line("%s: %d", class, v.Counts[class])
			for _, example := range v.Examples[class] {
				p.line("    %s", example)
			}
		}
	}
	for _, note := range v.Notes {
		p.line("note: %s", note)
	}
	return p.err
}

type printer struct {
	w   io.Writer
	err error
}

func (p *printer) line(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.w, format+"\n", args...)
	}
}

// percentile of sorted values, by the nearest rank.
func percentile(sorted []int64, p float64) int64 {
	return sorted[min(len(sorted)-1, int(p*float64(len(sorted))))]
}

// recoveries sums the windows up by kind of fault.
func recoveries(windows []Window, faults []Fault) (all []Recovery) {
	kinds := map[uint64]string{}
	for _, f := range faults {
		kinds[f.Op] = f.Kind
	}
	took := map[string][]int64{}
	for _, w := range windows {
		took[kinds[w.Fault]] = append(took[kinds[w.Fault]], w.To-w.From)
	}
	for kind, times := range took {
		slices.Sort(times)
		all = append(all, Recovery{
			Fault: kind, Windows: len(times), P50: percentile(times, .5), P99: percentile(times, .99), Max: times[len(times)-1],
		})
	}
	slices.SortFunc(all, func(a, b Recovery) int {
		if a.Fault < b.Fault {
			return -1
		}
		return 1
	})
	return all
}
