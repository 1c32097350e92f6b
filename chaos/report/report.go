// Package report draws a chaos run as one HTML page that needs nothing else:
// what was done to the cluster against what its users had of it, and what the
// checker found. It judges nothing. parley-chaos calls it; it blocks on its
// reader and writer only.
package report

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"strconv"
	"time"

	"github.com/parley-im/parley/chaos/check"
	"github.com/parley-im/parley/chaos/history"
)

//go:embed page.html
var pageText string

var page = template.Must(template.New("page").Funcs(template.FuncMap{
	"duration": func(ns int64) string { return short(time.Duration(ns)) },
	"at":       func(ns int64) string { return fmt.Sprintf("%.3f s", time.Duration(ns).Seconds()) },
	"ms":       func(ns int64) string { return strconv.FormatFloat(float64(ns)/1e6, 'f', 1, 64) },
	"number":   number,
}).Parse(pageText))

// Write writes the page about the run that the history tells of, which r has
// not read yet, and its verdict. Errors are those of the reader, *history.Error,
// and of the writer.
func Write(w io.Writer, r *history.Reader, v *check.Verdict) error {
	s, err := readSeries(r, v.End)
	if err != nil {
		return err
	}
	return page.Execute(w, newView(s, v))
}

// view is what the template shows.
type view struct {
	V       *check.Verdict
	Config  history.Config
	Length  string
	Tiles   []tile
	Classes []class
	Faults  []fault
	Time    timeline
	Down    outages
	Longest []window
	More    int // windows that are not among the longest
	Seconds []bucketView
	Width   string // of a bucket
}

// tile is one figure at the top.
type tile struct {
	Name, Value string
	Bad         bool
}

// class is a row of what was found.
type class struct {
	Name     check.Class
	Meaning  string
	Count    int
	Examples []string
}

// fault is one fault with its number on the page.
type fault struct {
	check.Fault
	Number int
}

// window is a row of the longest windows.
type window struct {
	check.Window
	Cause string
	Took  int64 // ns
}

// meanings are the classes in words.
var meanings = map[check.Class]string{
	check.Lost:     "acknowledged or shown, and in no log",
	check.Missing:  "a replica lacks what another has",
	check.Dup:      "one message twice",
	check.Gap:      "a hole in a log, a page or what a device got",
	check.Reorder:  "in another order than told, or against real time",
	check.Diverge:  "replicas differ",
	check.Corrupt:  "another content or sender than was sent",
	check.Stale:    "a read older than what was known",
	check.Phantom:  "never sent or refused, and there",
	check.Late:     "delivered too late or not at all",
	check.Unread:   "a wrong unread count or read mark",
	check.Auth:     "a success without a valid token",
	check.Tenant:   "seen by another app",
	check.Outage:   "a conversation down for too long",
	check.Untyped:  "a refusal without a code",
	check.Linear:   "porcupine finds no order",
	check.NoEffect: "a fault that was not seen to take effect",
}

// mostWindows is how many windows the table lists.
const mostWindows = 20

func newView(s *series, v *check.Verdict) view {
	p := view{V: v, Config: v.Config, Length: short(time.Duration(v.End)), Width: short(time.Duration(s.width))}
	p.Tiles = []tile{
		{"acknowledged", number(v.Acked), false}, {"unknown outcome", number(v.Unknown), false}, {"refused", number(v.Failed), false},
		{"retried", number(v.Retried), false}, {"deliveries", number(v.Delivered), false}, {"reads", number(v.Reads), false},
		{"faults", number(len(v.Faults)), false}, {"violations", number(v.Violations()), !v.OK()},
	}
	for _, c := range check.Classes {
		p.Classes = append(p.Classes, class{c, meanings[c], v.Counts[c], v.Examples[c]})
	}
	names := map[uint64]string{}
	for i, f := range v.Faults {
		p.Faults = append(p.Faults, fault{f, i + 1})
		names[f.Op] = fmt.Sprintf("%d: %s %s", i+1, f.Kind, f.Node)
	}
	for _, w := range longest(v.Windows, mostWindows) {
		p.Longest = append(p.Longest, window{w, names[w.Fault], w.To - w.From})
	}
	p.More = len(v.Windows) - len(p.Longest)
	p.Seconds = s.views()
	p.Time = newTimeline(s, v)
	p.Down = newOutages(v)
	return p
}

// number groups digits by thousands, with thin spaces.
func number(n int) string {
	text := strconv.Itoa(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "\u2009" + text[i:]
	}
	return text
}

// short is a duration with three digits or so.
func short(d time.Duration) string {
	switch {
	case d >= time.Minute:
		return d.Round(time.Second).String()
	case d >= time.Second:
		return fmt.Sprintf("%.2f s", d.Seconds())
	case d >= time.Millisecond:
		return fmt.Sprintf("%.0f ms", float64(d)/1e6)
	}
	return fmt.Sprintf("%.2f ms", float64(d)/1e6)
}
