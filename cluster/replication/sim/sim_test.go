package sim

import (
	"strings"
	"testing"
)

func TestASeedReplaysExactly(t *testing.T) {
	for seed := uint64(1); seed <= 20; seed++ {
		a, b := Run(seed, Options{}), Run(seed, Options{})
		if a.Hash != b.Hash || a.Stats != b.Stats {
			t.Errorf("seed %d: %+v, then %+v", seed, a, b)
		}
	}
}

func TestSeedsDiffer(t *testing.T) {
	if a, b := Run(1, Options{}), Run(2, Options{}); a.Hash == b.Hash {
		t.Error("two seeds give the same events")
	}
}

func TestFixedSeedsHold(t *testing.T) {
	count := uint64(300)
	if testing.Short() || raceEnabled {
		count = 30
	}
	var out strings.Builder
	sum := Seeds(&out, 1, count, 1, Options{})
	if sum.Violations > 0 {
		t.Errorf("%v\n%s", sum, out.String())
	}
	if count == 300 && (sum.Crashes == 0 || sum.Installs == 0 || sum.Destroys == 0 || sum.Wiped == 0 || sum.Truncations == 0 || sum.Reads == 0) {
		t.Errorf("something never happened: %+v", sum.Stats)
	}
}

func TestFixedSeedsHoldWithOlderCopies(t *testing.T) {
	count := uint64(200)
	if testing.Short() || raceEnabled {
		count = 20
	}
	var out strings.Builder
	sum := Seeds(&out, 1, count, 1, Options{Restore: true})
	if sum.Violations > 0 {
		t.Errorf("%v\n%s", sum, out.String())
	}
	if count == 200 && sum.Restored == 0 {
		t.Errorf("no disk was put back: %+v", sum.Stats)
	}
}

func TestFixedSeedsHoldWithTargets(t *testing.T) {
	count := uint64(200)
	if testing.Short() || raceEnabled {
		count = 20
	}
	var out strings.Builder
	sum := Seeds(&out, 1, count, 1, Options{Reshape: true})
	if sum.Violations > 0 {
		t.Errorf("%v\n%s", sum, out.String())
	}
	if count == 200 && (sum.Changes == 0 || sum.Destroys == 0 || sum.Wiped == 0) {
		t.Errorf("something never happened: %+v", sum.Stats)
	}
}
