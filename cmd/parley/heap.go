package main

import (
	"math"
	"os"
	"runtime/debug"
)

// heapFloor is the size below which the heap is not collected: a small heap is
// collected very often, for 4 % of the processors' time. After a failure of the
// network, when everybody comes back at once, it also leaves room for what that
// allocates before those who allocate must help the collector.
const heapFloor = 256 << 20

// ballast is half of the floor, as the collector begins when the heap has twice
// what is in use. Nothing is ever written into it, so it takes no memory.
var ballast []byte

// raiseHeapFloor is for programs whose operator has not set GOGC or GOMEMLIMIT.
func raiseHeapFloor() {
	if os.Getenv("GOGC") == "" && debug.SetMemoryLimit(-1) == math.MaxInt64 {
		ballast = make([]byte, heapFloor/2)
	}
}
