package connection

import (
	"sync"
	"time"
)

// Bounds of admission.
const (
	admitTime   = 500 * time.Millisecond // how long requests may wait for their answer, on average, when it does not end
	admitWindow = 100 * time.Millisecond
	admitMemory = 10  // windows: a queue that has stood for so long is no burst
	admitAlways = 512 // requests that may wait, however slow the node is
)

// Admission keeps a node's clients from asking more than is answered in time.
// Without it what is offered above the capacity only waits, until answers come
// when nobody expects them any more, and all of the node's work is for nothing.
//
// A burst is let in whole. Only a queue that has not been shorter than what is
// answered in admitTime during the whole of the last second means too much load:
// until it is half as long, requests above that length are refused, as Busy.
// What counts is what was asked and answered, so it needs no idea of what is
// slow: processors, the disk, a quorum or another node.
type Admission struct {
	mu      sync.Mutex
	begun   time.Time
	waiting int
	refused uint64
	limit   int // above which requests are refused; 0: none are
	current int // number of the window that is being filled
	windows [admitMemory]struct{ answered, least int }
}

// NewAdmission gives one that lets everything in.
func NewAdmission() *Admission { return &Admission{begun: time.Now()} }

// enter counts a request, or says that there are too many; one that must be let
// in never is too much.
func (a *Admission) enter(must bool) bool { return a.enterAt(time.Since(a.begun), must) }

func (a *Admission) enterAt(now time.Duration, must bool) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.roll(now)
	if a.limit > 0 && a.waiting >= a.limit && !must {
		a.refused++
		return false
	}
	a.waiting++
	return true
}

// leave counts answers, or requests whose clients have gone.
func (a *Admission) leave(n int) { a.leaveAt(time.Since(a.begun), n) }

func (a *Admission) leaveAt(now time.Duration, n int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.roll(now)
	a.waiting -= n
	w := &a.windows[a.current%admitMemory]
	w.answered += n
	w.least = min(w.least, a.waiting)
}

// roll begins the windows up to now, and judges anew when there are any.
func (a *Admission) roll(now time.Duration) {
	number := int(now / admitWindow)
	if number <= a.current {
		return
	}
	answered, least := 0, a.waiting
	for _, w := range a.windows {
		answered += w.answered
		least = min(least, w.least)
	}
	for a.current = max(a.current, number-admitMemory); a.current < number; {
		a.current++
		w := &a.windows[a.current%admitMemory]
		w.answered, w.least = 0, a.waiting
	}
	limit := max(admitAlways, int(int64(answered)*int64(admitTime)/int64(admitMemory*admitWindow)))
	switch {
	case least > limit, a.limit > 0 && least > limit/2:
		a.limit = limit
	default:
		a.limit = 0
	}
}

// Waiting is how many requests await their answer.
func (a *Admission) Waiting() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.waiting
}

// Refused is how many requests were refused because too many waited.
func (a *Admission) Refused() uint64 {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.refused
}
