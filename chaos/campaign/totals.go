package campaign

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"text/tabwriter"

	"github.com/parley-im/parley/chaos/check"
)

// totals are what a ledger's lines come to.
type totals struct {
	runs, clean, stuck, acked, unknown, ineffective int
	revisions, nodes                                map[string]int // runs
	violations                                      map[check.Class]int
	down                                            map[string][]int64 // ms, by kind of fault
}

func (l *Ledger) totals() totals {
	t := totals{revisions: map[string]int{}, nodes: map[string]int{}, violations: map[check.Class]int{}, down: map[string][]int64{}}
	for _, line := range l.lines {
		t.runs++
		if line.OK {
			t.clean++
		}
		if line.Stuck != "" {
			t.stuck++
		}
		t.acked += line.Acked
		t.unknown += line.Unknown
		t.ineffective += line.NoEffect
		t.revisions[line.Revision]++
		t.nodes[fmt.Sprint(line.Nodes)]++
		for class, n := range line.violations() {
			t.violations[class] += n
		}
		for kind, ms := range line.DownMs {
			t.down[kind] = append(t.down[kind], ms...)
		}
	}
	return t
}

// violations are the counts by class, also those that are 0.
func (l *Line) violations() map[check.Class]int {
	all := map[check.Class]int{check.Lost: l.Lost, check.Dup: l.Dup, check.Gap: l.Gap, check.Reorder: l.Reorder, check.Diverge: l.Diverge}
	for class, n := range l.Others {
		all[class] += n
	}
	return all
}

// Print sums the ledger up for a reader at a terminal: runs, messages,
// violations, and for each kind of fault over all its faults the longest time
// that a conversation was without acknowledgement.
func (l *Ledger) Print(w io.Writer) error {
	t := l.totals()
	out := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(w, "%d runs, %d clean, %d in which something did not come back; by nodes %v, by revision %v\n", t.runs, t.clean, t.stuck, t.nodes, t.revisions)
	fmt.Fprintf(w, "%d messages acknowledged, %d unknown; %d faults without effect\n", t.acked, t.unknown, t.ineffective)
	for _, class := range check.Classes {
		if n, told := t.violations[class]; told {
			fmt.Fprintf(w, "%s: %d\n", class, n)
		}
	}
	fmt.Fprintln(out, "fault\tmade\tdown p50\tp99\tmax ms\t")
	for _, kind := range slices.Sorted(maps.Keys(t.down)) {
		ms := slices.Sorted(slices.Values(t.down[kind]))
		fmt.Fprintf(out, "%s\t%d\t%d\t%d\t%d\t\n", kind, len(ms), ms[(len(ms)-1)/2], ms[(len(ms)*99+99)/100-1], ms[len(ms)-1])
	}
	return out.Flush()
}
