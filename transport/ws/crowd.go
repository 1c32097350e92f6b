package ws

import (
	"runtime/debug"
	"sync"
	"time"
)

// A crowd is many sockets that wait for their turns to come or go. They leave
// much garbage, some 15 KB each, and the collector goes by what it saw while it
// was calm: it begins so late that everybody who allocates must help it, and
// those who have stayed stand still for 0.2 to 0.3 s, again and again. So while
// there is a crowd, more garbage is left lying: the heap may be four times of
// what is in use, where it may be twice otherwise. What that took goes back to the
// system as soon as the crowd has gone.
const (
	crowdSize    = atDoor / 2 // as no more come in at a time
	crowdPercent = 300
	crowdGone    = 2 // looks, a second apart, that find none
)

// seeOff waits until the crowd has gone.
func (t *turns) seeOff() {
	leaveGarbage()
	look := time.NewTicker(time.Second)
	defer look.Stop()
	for again := true; again; {
		for gone := 0; gone < crowdGone; gone++ {
			<-look.C
			if t.waiting.Load() >= crowdSize {
				gone = -1
			}
		}
		t.crowded.Store(false)
		// One that has come since the last look found that there was a crowd.
		again = t.waiting.Load() >= crowdSize && t.crowded.CompareAndSwap(false, true)
	}
	collectGarbage()
}

// garbage is how it is dealt with, in all of the process.
var garbage struct {
	mu      sync.Mutex
	crowds  int
	percent int // as it was without crowds
}

func leaveGarbage() {
	g := &garbage
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.crowds++; g.crowds > 1 {
		return
	}
	g.percent = debug.SetGCPercent(crowdPercent)
	if g.percent < 0 || g.percent > crowdPercent { // the operator leaves more lying in any case
		debug.SetGCPercent(g.percent)
	}
}

func collectGarbage() {
	g := &garbage
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.crowds--; g.crowds == 0 {
		debug.FreeOSMemory() // while there still is room, so that nobody must help
		debug.SetGCPercent(g.percent)
	}
}
