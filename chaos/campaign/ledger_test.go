package campaign_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/parley-im/parley/chaos/campaign"
	"github.com/parley-im/parley/chaos/check"
)

func result(acked, lost int, kill ...time.Duration) campaign.Result {
	v := &check.Verdict{Acked: acked, Counts: map[check.Class]int{check.Lost: lost}}
	for i, d := range kill {
		op := uint64(i + 1)
		v.Faults = append(v.Faults, check.Fault{Op: op, Kind: "kill"})
		v.Windows = append(v.Windows, check.Window{Fault: op, From: 5, To: 5 + int64(d)}, check.Window{Fault: op, From: 5, To: 6})
	}
	return campaign.Result{Verdict: v}
}

func open(t *testing.T, name string) *campaign.Ledger {
	t.Helper()
	l, err := campaign.OpenLedger(name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

func TestALedgerGoesOnWhereItWasCutOff(t *testing.T) {
	name := filepath.Join(t.TempDir(), "deep", "ledger.jsonl")
	done := campaign.Options{Seed: 7, Revision: "abc", Command: "run --seed 7", Nodes: 3, Duration: time.Minute}
	if err := open(t, name).Add(result(10, 0).Sum(done, time.Second)); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, append(whole, whole[:len(whole)/2]...), 0o600); err != nil {
		t.Fatal(err)
	}
	l := open(t, name)
	otherSeed, otherCode := done, done
	otherSeed.Seed, otherCode.Revision = 8, "abd"
	if !l.Has(done) || l.Has(otherSeed) || l.Has(otherCode) {
		t.Errorf("has: the run %v, another seed %v, another revision %v", l.Has(done), l.Has(otherSeed), l.Has(otherCode))
	}
	if err := l.Add(result(1, 0).Sum(otherSeed, time.Second)); err != nil {
		t.Fatal(err)
	}
	if l := open(t, name); !l.Has(done) || !l.Has(otherSeed) {
		t.Error("what was added after a line that was cut off is gone")
	}
}

func TestADamagedLedgerIsNotWrittenTo(t *testing.T) {
	name := filepath.Join(t.TempDir(), "ledger.jsonl")
	if err := os.WriteFile(name, []byte("{}\nnonsense\n{}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := campaign.OpenLedger(name); err == nil || !strings.Contains(err.Error(), "line 2") {
		t.Errorf("the error is %v, want one about line 2", err)
	}
}

func TestALedgerIsSummedUp(t *testing.T) {
	l := open(t, filepath.Join(t.TempDir(), "ledger.jsonl"))
	for i, r := range []campaign.Result{
		result(1000, 0, 200*time.Millisecond, 300*time.Millisecond), result(30, 2, 900*time.Millisecond),
	} {
		if err := l.Add(r.Sum(campaign.Options{Seed: uint64(i), Revision: "abc", Nodes: 3}, time.Second)); err != nil {
			t.Fatal(err)
		}
	}
	var text strings.Builder
	if err := l.Print(&text); err != nil {
		t.Fatal(err)
	}
	said := strings.Join(strings.Fields(text.String()), " ")
	for _, want := range []string{"2 runs, 1 clean", "1030 messages acknowledged", "lost: 2", "kill 3 300 900 900"} {
		if !strings.Contains(said, want) {
			t.Errorf("%q is not in:\n%s", want, text.String())
		}
	}
}
