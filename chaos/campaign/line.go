package campaign

import (
	"time"

	"github.com/parley-im/parley/chaos/check"
)

// Line is the last line of --json and a line of the ledger.
type Line struct {
	OK       bool   `json:"ok"`
	Seed     uint64 `json:"seed"`
	Revision string `json:"revision"`
	Options  string `json:"options"`
	Acked    int    `json:"acked"`
	Unknown  int    `json:"unknown"`
	Lost     int    `json:"lost"`
	Dup      int    `json:"dup"`
	Gap      int    `json:"gap"`
	Reorder  int    `json:"reorder"`
	Diverge  int    `json:"diverge"`
	// Others are the counts above 0 of the other classes.
	Others   map[check.Class]int `json:"others,omitempty"`
	NoEffect int                 `json:"noeffect"`
	Nodes    int                 `json:"nodes"`
	Duration float64             `json:"duration"` // of the talk, seconds
	Faults   int                 `json:"faults"`
	// DownMs has for each fault, by kind, the longest time that a conversation was
	// without acknowledgement by it; 0 for less than check.MinWindow.
	DownMs map[string][]int64 `json:"down_ms,omitempty"`
	Stuck  string             `json:"stuck,omitempty"`
	// Recoveries are the times without acknowledgement of all conversations that had
	// one, by kind of fault.
	Recoveries []check.Recovery `json:"recoveries,omitempty"`
	Seconds    float64          `json:"seconds"`
}

// Sum gives the line of a result.
func (r Result) Sum(o Options, took time.Duration) Line {
	v := r.Verdict
	l := Line{
		OK: r.OK() && r.Effective(), Seed: o.Seed, Revision: o.Revision, Options: o.Command, Acked: v.Acked, Unknown: v.Unknown,
		Lost: v.Counts[check.Lost], Dup: v.Counts[check.Dup], Gap: v.Counts[check.Gap], Reorder: v.Counts[check.Reorder], Diverge: v.Counts[check.Diverge],
		Others: map[check.Class]int{}, Nodes: o.Nodes, Duration: o.Duration.Seconds(), DownMs: down(v), NoEffect: v.Ineffective(), Faults: len(v.Faults), Recoveries: v.Recoveries, Seconds: took.Seconds(),
	}
	for class, n := range v.Counts {
		switch class {
		case check.Lost, check.Dup, check.Gap, check.Reorder, check.Diverge, check.NoEffect:
		default:
			if n > 0 {
				l.Others[class] = n
			}
		}
	}
	if r.Stuck != nil {
		l.Stuck = r.Stuck.Error()
	}
	return l
}

// down gives the longest windows of the faults, by kind.
func down(v *check.Verdict) map[string][]int64 {
	longest := map[uint64]int64{}
	for _, w := range v.Windows {
		longest[w.Fault] = max(longest[w.Fault], (w.To-w.From)/int64(time.Millisecond))
	}
	all := map[string][]int64{}
	for _, f := range v.Faults {
		all[f.Kind] = append(all[f.Kind], longest[f.Op])
	}
	return all
}
