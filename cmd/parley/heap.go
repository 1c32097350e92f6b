package main

import (
	"math"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
)

// heapFloor is the size below which the heap is not collected: a small heap is
// collected very often, for some per cent of the processors' time. One of half
// the size or more is collected as usual, when it has doubled.
const heapFloor = 256 << 20

// raiseHeapFloor is for programs whose operator has not set GOGC or GOMEMLIMIT.
// It looks at the heap after each collection.
func raiseHeapFloor() {
	if os.Getenv("GOGC") == "" && debug.SetMemoryLimit(-1) == math.MaxInt64 {
		(&heapWatch{percent: 100}).watch()
	}
}

// heapWatch is collected with the garbage, each time, and comes back as its own
// finalizer.
type heapWatch struct{ percent int }

func (w *heapWatch) watch() {
	w.adjust()
	runtime.SetFinalizer(w, (*heapWatch).watch)
}

// adjust sets GOGC for the heap as the last collection has left it.
func (w *heapWatch) adjust() {
	live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(live)
	if percent := growth(live[0].Value.Uint64()); percent != w.percent {
		w.percent = percent
		debug.SetGCPercent(percent)
	}
}

// growth is GOGC with which a heap of so many bytes in use is collected when it
// has doubled, but not below the floor; a power of two times 100, so that it
// seldom changes: changing it stops all goroutines for a moment.
func growth(live uint64) int {
	percent := 100
	for percent < 1600 && live*(100+2*uint64(percent))/100 <= heapFloor {
		percent *= 2
	}
	return percent
}
