package report

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/parley-im/parley/chaos/check"
)

// leftOfNames leaves room for the names of conversations.
const leftOfNames = 200

// mostRows bounds the drawing of windows.
const mostRows = 40

// outages is the second drawing: a row for each shard, or for each conversation
// when shards are not known, with its windows.
type outages struct {
	W, H, AxisY, Left, Right float64
	Ticks                    []tick
	Bands                    []band
	Rows                     []row
	Of                       string // what a row is
	More                     int    // rows that are not drawn
}

// row is one shard or conversation.
type row struct {
	Name  string
	Y     float64
	total int64
	order int
	Marks []mark
}

// mark is one window.
type mark struct {
	X, W  float64
	Title string
	Open  bool
}

func newOutages(v *check.Verdict) outages {
	end := v.End
	for _, f := range v.Faults {
		end = max(end, f.Healed)
	}
	x := scale{max(1, end), left}
	o := outages{W: drawingWidth, Right: drawingWidth - right, Of: "shard"}
	if slices.ContainsFunc(v.Windows, func(w check.Window) bool { return w.Shard == 0 }) {
		o.Of, x.left = "conversation", leftOfNames
	}
	o.Left, o.Ticks = x.left, x.ticks()
	o.Bands, _ = bandsOf(x, v.Faults)
	rows := map[string]*row{}
	for _, w := range v.Windows {
		name, order := fmt.Sprintf("shard %d", w.Shard), int(w.Shard)
		if o.Of == "conversation" {
			name, order = fmt.Sprintf("%d %s", w.App, w.Conversation), 0
		}
		r := rows[name]
		if r == nil {
			r = &row{Name: name, order: order}
			rows[name] = r
		}
		r.total += w.To - w.From
		r.Marks = append(r.Marks, mark{
			X: x.x(w.From), W: max(1.5, x.x(w.To)-x.x(w.From)), Open: w.Open,
			Title: fmt.Sprintf("%s of app %d: %s from %.2f s", w.Conversation, w.App, short(time.Duration(w.To-w.From)), float64(w.From)/1e9),
		})
	}
	o.place(rows)
	return o
}

// place draws the rows that were down most, in the order of their names.
func (o *outages) place(rows map[string]*row) {
	all := make([]*row, 0, len(rows))
	for _, r := range rows {
		all = append(all, r)
	}
	slices.SortFunc(all, func(a, b *row) int { return cmp.Or(cmp.Compare(b.total, a.total), cmp.Compare(a.Name, b.Name)) })
	if len(all) > mostRows {
		o.More = len(all) - mostRows
		all = all[:mostRows]
	}
	slices.SortFunc(all, func(a, b *row) int { return cmp.Or(cmp.Compare(a.order, b.order), cmp.Compare(a.Name, b.Name)) })
	for i, r := range all {
		r.Y = float64(4 + i*rowHeight)
		o.Rows = append(o.Rows, *r)
	}
	o.AxisY = float64(8 + len(all)*rowHeight)
	o.H = o.AxisY + axisHeight
}
