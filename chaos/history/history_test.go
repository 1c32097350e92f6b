package history_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"reflect"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"github.com/parley-im/parley/chaos/history"
	"github.com/parley-im/parley/chaos/history/historytest"
)

// all reads a history to its end.
func all(from io.Reader) (events []history.Event, c history.Config, err error) {
	r, err := history.NewReader(from)
	if err != nil {
		return nil, c, err
	}
	for {
		var e history.Event
		switch err := r.Next(&e); {
		case err == io.EOF:
			return events, r.Config, nil
		case err != nil:
			return events, r.Config, err
		}
		events = append(events, e)
	}
}

func TestWhatIsWrittenIsRead(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		written := historytest.Good(historytest.Options{Seed: rapid.Uint64().Draw(t, "seed"), Length: 5e9})
		read, c, err := all(historytest.Reader(written))
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(read, written[1:]) || !reflect.DeepEqual(c, *written[0].Config) {
			t.Fatal("what was read is not what was written")
		}
	})
}

func TestManyWriteInTheOrderOfTheClock(t *testing.T) {
	var file bytes.Buffer
	w := history.NewWriter(&file, history.Config{Seed: 5})
	var writers sync.WaitGroup
	for range 4 {
		writers.Go(func() {
			for range 500 {
				before := w.Now()
				if at := w.Record(history.Event{Kind: history.KindNote}); at < before {
					t.Errorf("stamped %d, called at %d", at, before)
				}
			}
		})
	}
	writers.Wait()
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	events, c, err := all(&file) // which fails when the time runs back
	if err != nil || len(events) != 2000 || c.Seed != 5 {
		t.Fatalf("%d events, seed %d, error %v", len(events), c.Seed, err)
	}
}

func TestBadInputIsToldByLine(t *testing.T) {
	const first = `{"at":1,"kind":"config","config":{"seed":1,"revision":"x","nodes":null,"deliver_within":0,"available_within":0}}` + "\n"
	var syntax *json.SyntaxError
	for name, c := range map[string]struct {
		text   string
		line   int
		reason func(error) bool
	}{
		"nothing":          {"", 1, func(err error) bool { return errors.Is(err, history.ErrNoConfig) }},
		"no config":        {`{"at":1,"kind":"note"}` + "\n", 1, func(err error) bool { return errors.Is(err, history.ErrNoConfig) }},
		"no JSON":          {first + "{\"at\":2}\nnonsense\n", 3, func(err error) bool { return errors.As(err, &syntax) }},
		"time runs back":   {first + "{\"at\":3}\n{\"at\":2}\n", 3, func(err error) bool { return errors.Is(err, history.ErrTime) }},
		"cut off":          {first + "{\"at\":2}\n{\"at\":", 3, func(err error) bool { return errors.Is(err, history.ErrTruncated) }},
		"cut off, long":    {first + `{"at":2,"text":"` + strings.Repeat("x", 200_000), 2, func(err error) bool { return errors.Is(err, history.ErrTruncated) }},
		"a line too long":  {first + strings.Repeat("x", 2*history.MaxLine) + "\n", 2, func(err error) bool { return strings.Contains(err.Error(), "longer") }},
		"not even a start": {"\n", 1, func(err error) bool { return errors.As(err, &syntax) }},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := all(strings.NewReader(c.text))
			var where *history.Error
			if !errors.As(err, &where) || where.Line != c.line || !c.reason(err) {
				t.Fatalf("the error is %v", err)
			}
		})
	}
}

func TestLongLinesAreRead(t *testing.T) {
	var file bytes.Buffer
	w := history.NewWriter(&file, history.Config{})
	text := strings.Repeat("long <&> ", 30_000)
	w.Record(history.Event{Kind: history.KindNote, Text: text})
	w.Record(history.Event{Kind: history.KindNote, Text: "short"})
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	events, _, err := all(&file)
	if err != nil || len(events) != 2 || events[0].Text != text || events[1].Text != "short" {
		t.Fatalf("%d events, error %v", len(events), err)
	}
}

var errFull = errors.New("the disk is full")

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errFull }

func TestAFailedWriteIsToldInTheEnd(t *testing.T) {
	w := history.NewWriter(full{}, history.Config{})
	for range 10_000 {
		w.Record(history.Event{Kind: history.KindNote})
	}
	if err := w.Close(); !errors.Is(err, errFull) {
		t.Fatalf("the error is %v", err)
	}
}

func TestPeerNamesBothUsers(t *testing.T) {
	a, b, ok := history.Peers(history.Peer("zoe", "a:b"))
	if a != "a:b" || b != "zoe" || !ok || history.Peer("a:b", "zoe") != history.Peer("zoe", "a:b") {
		t.Fatalf("got %q and %q, %v", a, b, ok)
	}
	for _, bad := range []string{"", "peer:", "peer:a", "group:a/b"} {
		if _, _, ok := history.Peers(bad); ok {
			t.Errorf("%q was taken", bad)
		}
	}
}
