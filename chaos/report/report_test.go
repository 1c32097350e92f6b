package report_test

import (
	"bytes"
	"encoding/xml"
	"io"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/parley-im/parley/chaos/check"
	"github.com/parley-im/parley/chaos/history"
	"github.com/parley-im/parley/chaos/history/historytest"
	"github.com/parley-im/parley/chaos/report"
)

// pageOf is the page about a history, after it was checked.
func pageOf(t *testing.T, events []history.Event) (string, *check.Verdict) {
	t.Helper()
	r, err := history.NewReader(historytest.Reader(events))
	if err != nil {
		t.Fatal(err)
	}
	v, err := check.Run(r, check.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if r, err = history.NewReader(historytest.Reader(events)); err != nil {
		t.Fatal(err)
	}
	var page bytes.Buffer
	if err := report.Write(&page, r, v); err != nil {
		t.Fatal(err)
	}
	return page.String(), v
}

func good(seed uint64) []history.Event {
	return historytest.Good(historytest.Options{Seed: seed, Length: time.Minute, Apps: 2, Users: 5, Nodes: 3, Pace: 300 * time.Millisecond})
}

func TestThePageTellsWhatHappened(t *testing.T) {
	page, v := pageOf(t, good(7))
	for _, want := range []string{
		"No promise was broken", "Seed 7", "revision <code>0123abcd</code>", "parley-chaos run --seed 7",
		`<th scope="row">I1</th>`, `<th scope="row">lost</th>`, "seen on n", `aria-labelledby="time-title time-text"`, v.Faults[0].Kind + " " + v.Faults[0].Node,
		"prefers-color-scheme: dark",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if n := strings.Count(page, `class="bar"`); n != len(v.Faults) {
		t.Errorf("%d faults are drawn, of %d", n, len(v.Faults))
	}
	if out := os.Getenv("PARLEY_REPORT_OUT"); out != "" {
		if err := os.WriteFile(out, []byte(page), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func TestThePageIsWellFormedAndNeedsNothingElse(t *testing.T) {
	for seed := range uint64(6) {
		page, _ := pageOf(t, good(seed))
		wellFormed(t, page)
		for _, outside := range []string{"http://", "https://", "//cdn", "<script", "<link", "<img", "@import", "url(", "NaN", "Inf", "%!"} {
			if strings.Contains(page, outside) {
				t.Fatalf("seed %d: the page holds %q", seed, outside)
			}
		}
	}
}

// wellFormed reads the page as XML, with HTML's void elements closed.
func wellFormed(t *testing.T, page string) {
	t.Helper()
	page = regexp.MustCompile(`<(meta[^>]*)>`).ReplaceAllString(strings.TrimPrefix(page, "<!DOCTYPE html>"), "<$1/>")
	page = regexp.MustCompile(`(?s)<style>.*</style>`).ReplaceAllString(page, "<style></style>")
	d := xml.NewDecoder(strings.NewReader(page))
	d.Entity = xml.HTMLEntity
	for {
		token, err := d.Token()
		if err == io.EOF {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		if e, ok := token.(xml.StartElement); ok && e.Name.Local == "th" && !strings.Contains(strings.Join(values(e), " "), "scope=") {
			t.Fatalf("a header of a table says nothing of its scope: %v", e)
		}
	}
}

func values(e xml.StartElement) (all []string) {
	for _, a := range e.Attr {
		all = append(all, a.Name.Local+"="+a.Value)
	}
	return all
}

func TestWhatComesFromTheRunIsEscaped(t *testing.T) {
	const evil = `<script>alert("x")</script>&'`
	events := good(3)
	events[0].Config.Command, events[0].Config.Revision = evil, evil
	events[0].Config.Options = map[string]string{evil: evil}
	for i := range events {
		switch e := &events[i]; e.Kind {
		case history.KindFault:
			e.Fault, e.Node, e.Text = evil, evil, evil
		case history.KindFail:
			e.Code, e.Text = 0, evil // told as an example
		}
	}
	page, v := pageOf(t, events)
	if v.OK() {
		t.Fatal("the history is good; there is no example to escape")
	}
	if strings.Contains(page, "<script") {
		t.Fatal("the page holds a script")
	}
	wellFormed(t, page)
}

func TestARunWithoutAnything(t *testing.T) {
	page, _ := pageOf(t, []history.Event{{At: 1, Kind: history.KindConfig, Config: &history.Config{}}, {At: 2, Kind: history.KindFinal}})
	wellFormed(t, page)
	if !strings.Contains(page, "not exercised") || !strings.Contains(page, "No conversation went without") {
		t.Error("the page does not say that nothing was tried")
	}
}
