package main

import (
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"testing"
)

// goal is the size at which the heap is collected next.
func goal() uint64 {
	runtime.GC()
	sample := []metrics.Sample{{Name: "/gc/heap/goal:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}

func TestASmallHeapIsNotCollected(t *testing.T) {
	t.Setenv("GOGC", "")
	defer func() { ballast = nil }()
	if before := goal(); before >= heapFloor {
		t.Skipf("the heap is collected at %d bytes already", before)
	}
	raiseHeapFloor()
	if after := goal(); after < heapFloor {
		t.Errorf("the heap is collected at %d bytes, want %d", after, heapFloor)
	}
}

func TestTheOperatorsSettingsOfTheCollectorHold(t *testing.T) {
	defer func() { ballast = nil }()
	t.Setenv("GOGC", "50")
	if raiseHeapFloor(); ballast != nil {
		t.Error("a ballast in spite of GOGC")
	}
	t.Setenv("GOGC", "")
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(1 << 30))
	if raiseHeapFloor(); ballast != nil {
		t.Error("a ballast in spite of GOMEMLIMIT")
	}
}
