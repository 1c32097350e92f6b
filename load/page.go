package load

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"strings"
)

//go:embed page.html
var pageText string

var pageTemplate = template.Must(template.New("page").Parse(pageText))

// chart is lines over the seconds of a run.
type chart struct {
	Title, Unit string
	Top         string // the value at the upper edge
	Seconds     int
	Lines       []line
}

type line struct {
	Name, Class string
	Points      string // of an SVG polyline, 0..1000 by 0..200
}

func draw(title, unit string, s []Second, names []string, values ...func(Second) float64) chart {
	top := 0.0
	for _, one := range s {
		for _, v := range values {
			top = max(top, v(one))
		}
	}
	c := chart{Title: title, Unit: unit, Top: fmt.Sprintf("%.4g", top), Seconds: len(s)}
	for i, v := range values {
		var points strings.Builder
		for j, one := range s {
			fmt.Fprintf(&points, "%.1f,%.1f ", 1000*float64(j)/float64(max(len(s)-1, 1)), 200-200*v(one)/max(top, 1e-9))
		}
		c.Lines = append(c.Lines, line{names[i], fmt.Sprintf("line%d", i), points.String()})
	}
	return c
}

// WritePage writes a result as one page that needs nothing else.
func WritePage(w io.Writer, r Result) error {
	var words strings.Builder
	r.Print(&words)
	charts := []chart{
		draw("Messages a second", "messages", r.Series, []string{"acknowledged", "delivered"},
			func(s Second) float64 { return float64(s.Acked) }, func(s Second) float64 { return float64(s.Delivered) }),
		draw("Time to the acknowledgement", "ms", r.Series, []string{"p50", "p99"},
			func(s Second) float64 { return s.P50 }, func(s Second) float64 { return s.P99 }),
	}
	return pageTemplate.Execute(w, map[string]any{"Result": r, "Words": words.String(), "Charts": charts})
}
