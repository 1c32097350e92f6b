package check

import (
	"testing"
	"time"

	"github.com/parley-im/parley/chaos/history"
	"github.com/parley-im/parley/chaos/history/historytest"
)

func TestGoodHistoriesRaiseNoAlarm(t *testing.T) {
	tried := map[string]int{}
	for seed := range uint64(1000) {
		v, found := findings(t, historytest.Good(historytest.Options{Seed: seed}))
		if len(found) > 0 {
			t.Fatalf("seed %d: %v", seed, v.Examples)
		}
		for _, i := range v.Invariants {
			tried[i.ID] += i.Exercised
		}
	}
	for _, i := range promises() {
		if tried[i.ID] == 0 {
			t.Errorf("%s was exercised by no history", i.ID)
		}
	}
	t.Log(tried)
}

func TestRunReadsWhatWasWritten(t *testing.T) {
	events := historytest.Good(historytest.Options{Seed: 1})
	r, err := history.NewReader(historytest.Reader(events))
	if err != nil {
		t.Fatal(err)
	}
	v, err := Run(r, Options{Seed: 1, Conversations: 2, Operations: 200, Timeout: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	if !v.OK() || v.Events != len(events) || v.Acked == 0 || v.Config.Revision != events[0].Config.Revision {
		t.Errorf("the verdict is %+v", v)
	}
}
