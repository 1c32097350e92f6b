package report

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/parley-im/parley/chaos/check"
)

// The drawings' measures, in units of their view boxes.
const (
	drawingWidth = 1000
	left, right  = 64, 12 // margins beside what is drawn to scale
	laneHeight   = 20
	panelHeight  = 130
	panelGap     = 34
	axisHeight   = 28
	rowHeight    = 14
)

// scale puts times on the x axis, which begins at left.
type scale struct {
	end  int64
	left float64
}

func (s scale) x(t int64) float64 {
	t = min(max(t, 0), s.end)
	return s.left + float64(t)/float64(s.end)*(drawingWidth-right-s.left)
}

// tick is a mark of an axis.
type tick struct {
	At   float64
	Text string
}

// ticks are at most about ten round times.
func (s scale) ticks() (all []tick) {
	step := time.Second
	for _, factor := range []time.Duration{2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600} {
		if int64(step)*10 >= s.end {
			break
		}
		step = factor * time.Second
	}
	for t := int64(0); t <= s.end; t += int64(step) {
		text := fmt.Sprintf("%d s", t/int64(time.Second))
		if step >= time.Minute {
			text = fmt.Sprintf("%d min", t/int64(time.Minute))
		}
		all = append(all, tick{s.x(t), text})
	}
	return all
}

// band is a fault's time, over the whole height of a drawing, and its bar.
type band struct {
	X, W          float64 // from the fault to its healing
	Y             float64 // of the bar
	Number        int
	Label         string
	Before, After bool // where the label is when it does not fit into the bar
	Title         string
	Ineffective   bool
}

// panel is one curve drawing within a timeline.
type panel struct {
	Name        string
	Y, H, TextY float64
	Ticks       []tick // of the y axis
	Area        string // a path, or empty
	Bars        string // of refusals: a path, or empty
	P50, P99    string // paths, or empty
}

// timeline is the first drawing.
type timeline struct {
	W, H, AxisY, Left, Right float64
	Ticks                    []tick
	Bands                    []band
	Panels                   []panel
	Summary                  string
}

func newTimeline(s *series, v *check.Verdict) timeline {
	x := scale{s.end(), left}
	bands, lanes := bandsOf(x, v.Faults)
	t := timeline{W: drawingWidth, Left: left, Right: drawingWidth - right, Ticks: x.ticks(), Bands: bands}
	y := float64(lanes*laneHeight) + panelGap
	for _, draw := range []func(scale, *series, *check.Verdict, float64) panel{throughput, latency, unavailable} {
		t.Panels = append(t.Panels, draw(x, s, v, y))
		y += panelHeight + panelGap
	}
	t.AxisY = y - panelGap
	t.H = t.AxisY + axisHeight
	peak := 0.
	for i := range s.buckets {
		peak = max(peak, s.rate(&s.buckets[i]))
	}
	t.Summary = fmt.Sprintf("%d faults over %s; at most %.0f acknowledgements a second; %d times a conversation took no send for %s or longer.",
		len(v.Faults), short(time.Duration(v.End)), peak, len(v.Windows), short(check.MinWindow))
	return t
}

// bandsOf puts faults that overlap into lanes of their own.
func bandsOf(x scale, faults []check.Fault) (bands []band, lanes int) {
	var free []float64 // by lane
	for i, f := range faults {
		end := f.Healed
		if end == 0 {
			end = x.end
		}
		b := band{X: x.x(f.At), Number: i + 1, Ineffective: f.Effect == 0}
		b.W = max(2, x.x(end)-b.X)
		b.Label = strings.TrimSpace(fmt.Sprintf("%d %s %s", i+1, f.Kind, f.Node))
		b.Title = fmt.Sprintf("%s, from %.1f s to %.1f s", b.Label, float64(f.At)/1e9, float64(end)/1e9)
		room := float64(len(b.Label))*6.2 + 8 // that the label needs
		from, takes := b.X, max(b.W, room)
		switch {
		case room <= b.W:
		case b.X+b.W+room > drawingWidth:
			b.Before, from = true, b.X-room
			takes = room + b.W
		default:
			b.After, takes = true, b.W+room
		}
		lane := 0
		for lane < len(free) && free[lane] > from {
			lane++
		}
		if lane == len(free) {
			free = append(free, 0)
		}
		free[lane] = from + takes
		b.Y = float64(lane * laneHeight)
		bands = append(bands, b)
	}
	return bands, len(free)
}

func newPanel(name string, y float64, ticks []tick) panel {
	return panel{Name: name, Y: y, H: panelHeight, TextY: y - 8, Ticks: ticks}
}

func throughput(x scale, s *series, _ *check.Verdict, y float64) panel {
	most := 1.
	for i := range s.buckets {
		b := &s.buckets[i]
		most = max(most, s.rate(b), float64(b.failures)/time.Duration(s.width).Seconds())
	}
	top, ticks := linear(y, most)
	p := newPanel("acknowledged (area) and refused or unknown (bars), a second", y, ticks)
	bottom := y + panelHeight
	height := func(rate float64) float64 { return rate / top * panelHeight }
	var area, bars strings.Builder
	fmt.Fprintf(&area, "M%.1f %.1f", x.x(0), bottom)
	for i := range s.buckets {
		from, to := x.x(int64(i)*s.width), x.x(int64(i+1)*s.width)
		h := bottom - height(s.rate(&s.buckets[i]))
		fmt.Fprintf(&area, "L%.1f %.1fL%.1f %.1f", from, h, to, h)
		if n := s.buckets[i].failures; n > 0 {
			tall := max(1.5, height(float64(n)/time.Duration(s.width).Seconds()))
			fmt.Fprintf(&bars, "M%.1f %.1fv%.1fh4v%.1fz", (from+to)/2-2, bottom, -tall, tall)
		}
	}
	fmt.Fprintf(&area, "L%.1f %.1fZ", x.x(s.end()), bottom)
	p.Area, p.Bars = area.String(), bars.String()
	return p
}

// latency is drawn to a scale of powers of ten.
func latency(x scale, s *series, _ *check.Verdict, y float64) panel {
	low, high := math.Inf(1), 0.
	for i := range s.buckets {
		if b := &s.buckets[i]; b.acks > 0 {
			low, high = min(low, b.percentile(50)), max(high, b.percentile(99))
		}
	}
	if high == 0 {
		low, high = 1, 10
	}
	from := math.Floor(math.Log10(max(low, .01)))
	to := max(from+1, math.Ceil(math.Log10(max(high, .01))))
	place := func(ms float64) float64 {
		return y + panelHeight*(1-(math.Log10(max(ms, .01))-from)/(to-from))
	}
	var ticks []tick
	for e := from; e <= to; e++ {
		ticks = append(ticks, tick{place(math.Pow(10, e)), power(e)})
	}
	p := newPanel("time to the acknowledgement: p50 (solid) and p99 (dashed)", y, ticks)
	p.P50 = curve(x, s, 50, place)
	p.P99 = curve(x, s, 99, place)
	return p
}

// power is a power of ten of ms.
func power(e float64) string {
	if e >= 3 {
		return fmt.Sprintf("%g s", math.Pow(10, e-3))
	}
	return fmt.Sprintf("%g ms", math.Pow(10, e))
}

// curve joins the buckets that have a percentile, and leaves gaps where none is.
func curve(x scale, s *series, percentile float64, place func(float64) float64) string {
	var path strings.Builder
	pen := "M"
	for i := range s.buckets {
		b := &s.buckets[i]
		if b.acks == 0 {
			pen = "M"
			continue
		}
		middle := x.x(int64(i)*s.width + s.width/2)
		fmt.Fprintf(&path, "%s%.1f %.1f", pen, middle, place(b.percentile(percentile)))
		if pen == "M" {
			path.WriteString("h.1") // a lone point is a dot
		}
		pen = "L"
	}
	return path.String()
}

// unavailable counts the conversations that are in a window.
func unavailable(x scale, s *series, v *check.Verdict, y float64) panel {
	steps := make([]int, 2*mostBuckets)
	width := s.end()/int64(len(steps)) + 1
	most := 1
	for _, w := range v.Windows {
		for i := w.From / width; i <= w.To/width && i < int64(len(steps)); i++ {
			steps[i]++
			most = max(most, steps[i])
		}
	}
	top, ticks := linear(y, float64(most))
	p := newPanel("conversations without acknowledgement", y, ticks)
	bottom := y + panelHeight
	var area strings.Builder
	fmt.Fprintf(&area, "M%.1f %.1f", x.x(0), bottom)
	for i, n := range steps {
		h := bottom - float64(n)/top*panelHeight
		fmt.Fprintf(&area, "L%.1f %.1fL%.1f %.1f", x.x(int64(i)*width), h, x.x(int64(i+1)*width), h)
	}
	fmt.Fprintf(&area, "L%.1f %.1fZ", x.x(s.end()), bottom)
	p.Area = area.String()
	return p
}

// linear gives a round end of a scale from 0, and its ticks.
func linear(y, most float64) (top float64, ticks []tick) {
	step := 1.
	for i := 0; most/step > 5; i++ { // 1, 2, 5, 10, 20 ...
		step *= []float64{2, 2.5, 2}[i%3]
	}
	top = math.Ceil(most/step) * step
	for v := 0.; v <= top; v += step {
		ticks = append(ticks, tick{y + panelHeight*(1-v/top), fmt.Sprintf("%g", v)})
	}
	return top, ticks
}
