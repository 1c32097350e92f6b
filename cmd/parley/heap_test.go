package main

import (
	"runtime"
	"runtime/debug"
	"testing"
)

func TestAHeapGrowsToTheFloorOrToTwiceWhatIsInUse(t *testing.T) {
	for live, want := range map[uint64]int{
		1 << 20: 1600, 10 << 20: 1600, 30 << 20: 400, 60 << 20: 200, 100 << 20: 100, 128 << 20: 100, 4 << 30: 100,
	} {
		if got := growth(live); got != want {
			t.Errorf("with %d bytes in use it may grow by %d %%, want %d", live, got, want)
		}
	}
}

func TestTheFloorFollowsTheHeap(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(100))
	t.Setenv("GOGC", "")
	percent := func() int {
		now := debug.SetGCPercent(100)
		debug.SetGCPercent(now)
		return now
	}
	w := &heapWatch{percent: 100}
	runtime.GC() // forgets what other tests have left
	w.adjust()
	if got := percent(); got != 1600 {
		t.Fatalf("a small heap may grow by %d %%", got)
	}
	large := make([]byte, 200<<20)
	runtime.GC() // counts it
	w.adjust()
	if got := percent(); got != 100 {
		t.Errorf("a large heap may grow by %d %%", got)
	}
	runtime.KeepAlive(large)
}

func TestTheOperatorsSettingsOfTheCollectorHold(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(100))
	unchanged := func() bool { return debug.SetGCPercent(100) == 100 }
	t.Setenv("GOGC", "50")
	if raiseHeapFloor(); !unchanged() {
		t.Error("GOGC is not heeded")
	}
	t.Setenv("GOGC", "")
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(1 << 30))
	if raiseHeapFloor(); !unchanged() {
		t.Error("GOMEMLIMIT is not heeded")
	}
}
