package check_test

import (
	"testing"
	"time"

	"github.com/parley-im/parley/chaos/check"
	"github.com/parley-im/parley/chaos/history"
	"github.com/parley-im/parley/chaos/history/historytest"
)

var everything = check.Options{Conversations: 4, Operations: 200, Timeout: time.Minute}

// judge runs the checker over events.
func judge(t testing.TB, events []history.Event) *check.Verdict {
	t.Helper()
	r, err := history.NewReader(historytest.Reader(events))
	if err != nil {
		t.Fatal(err)
	}
	o := everything
	o.Seed = events[0].Config.Seed
	v, err := check.Run(r, o)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestGoodHistoriesRaiseNoAlarm(t *testing.T) {
	tried := map[string]int{}
	for seed := range uint64(1000) {
		v := judge(t, historytest.Good(historytest.Options{Seed: seed}))
		if !v.OK() || v.Counts[check.NoEffect] > 0 {
			t.Fatalf("seed %d: %v", seed, v.Examples)
		}
		for _, i := range v.Invariants {
			tried[i.ID] += i.Exercised
		}
	}
	for id, n := range tried {
		if n == 0 {
			t.Errorf("%s was exercised by no history", id)
		}
	}
	t.Log(tried)
}
