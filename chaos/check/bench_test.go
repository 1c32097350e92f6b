package check_test

import (
	"bytes"
	"io"
	"testing"
	"time"

	"github.com/parley-im/parley/chaos/check"
	"github.com/parley-im/parley/chaos/history"
	"github.com/parley-im/parley/chaos/history/historytest"
)

// BenchmarkRun reads and checks a history; events/s is of both together, the
// sub-benchmark read of the reader alone.
func BenchmarkRun(b *testing.B) {
	events := historytest.Good(historytest.Options{Seed: 1, Length: 10 * time.Minute, Apps: 2, Users: 12, Nodes: 3, Pace: 200 * time.Millisecond})
	file, err := io.ReadAll(historytest.Reader(events))
	if err != nil {
		b.Fatal(err)
	}
	run := func(b *testing.B, do func(*history.Reader) error) {
		b.ReportAllocs()
		b.SetBytes(int64(len(file)))
		for b.Loop() {
			r, err := history.NewReader(bytes.NewReader(file))
			if err != nil {
				b.Fatal(err)
			}
			if err := do(r); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(len(events)*b.N)/b.Elapsed().Seconds(), "events/s")
	}
	b.Run("read", func(b *testing.B) {
		run(b, func(r *history.Reader) error {
			var e history.Event
			for {
				switch err := r.Next(&e); err {
				case nil:
				case io.EOF:
					return nil
				default:
					return err
				}
			}
		})
	})
	b.Run("check", func(b *testing.B) {
		run(b, func(r *history.Reader) error {
			_, err := check.Run(r, check.Options{})
			return err
		})
	})
}
