// Package clock guards a cluster against a node whose wall clock is wrong. It
// compares the node's clock with those of the others (link brings their
// readings), judges which of them are apart (judge, pure), and gives the time
// that a leader may stamp what it proposes with (Now). A node that is apart is
// not to lead; Watch calls who must act on that. Nothing else in it blocks.
//
// Two clocks that differ do not say which is wrong, so it takes three: with
// fewer nobody is apart that was not before.
package clock

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/parley-im/parley/storage"
)

const (
	// Limit is how far a clock may be from the middle of all.
	Limit = 500 * time.Millisecond
	// agreed is how near one that was apart has to come.
	agreed = Limit / 2
	// stale is how long a reading counts. They come several times in that time.
	stale = 5 * time.Second
	// maxRoundTrip is that of a reading which is worth something: it is off by half
	// of it at most.
	maxRoundTrip = Limit / 2
	// checkEvery is how often Watch looks.
	checkEvery = 100 * time.Millisecond
)

// Verdict is what is known of the own clock.
type Verdict struct {
	// Others is how many other clocks are known.
	Others int
	// Offset is how far ahead of the middle of all clocks the own one is; 0 with
	// fewer than three.
	Offset time.Duration
	// Apart says that the clock is wrong, Unsure that there is one other clock and
	// it shows another time.
	Apart, Unsure bool
}

// MayLead says whether the node may lead shards: also if it is apart and too few
// others are there to lead in its place. It stamps with their time then.
func (v Verdict) MayLead() bool { return !v.Apart || v.Others < 2 }

// judge compares the own clock with how far others are ahead of it.
func judge(others []time.Duration, was bool) Verdict {
	v := Verdict{Others: len(others)}
	low, high := middle(others)
	limit := Limit
	if was {
		limit = agreed
	}
	switch v.Others {
	case 0:
		v.Apart = was
	case 1:
		v.Unsure = max(others[0], -others[0]) > limit
		v.Apart = was && v.Unsure
	default:
		v.Offset = max(0, -high) + min(0, -low)
		v.Apart = max(v.Offset, -v.Offset) > limit
	}
	return v
}

// middle gives the two middle ones of all clocks, which are one if their number
// is odd, as far as they are ahead of the own clock, which counts too.
func middle(others []time.Duration) (low, high time.Duration) {
	all := append(slices.Clone(others), 0)
	slices.Sort(all)
	return all[(len(all)-1)/2], all[len(all)/2]
}

// Guard knows the clocks. Its methods may be called from any goroutine.
type Guard struct {
	wall  func() time.Time
	begun time.Time // monotonic

	mu      sync.Mutex
	others  map[storage.NodeID]reading
	verdict Verdict

	// low and high are the middle of all clocks, as nanoseconds of wall time above
	// those since begun. Without bounds they are zero.
	low, high atomic.Int64
}

// reading is another clock: its wall time, less this node's time since begun.
type reading struct {
	wall int64
	at   time.Duration // since begun
}

// New makes a guard of a wall clock.
func New(wall func() time.Time) *Guard {
	return &Guard{wall: wall, begun: time.Now(), others: make(map[storage.NodeID]reading)}
}

// Wall is the node's own clock, right or wrong.
func (g *Guard) Wall() time.Time { return g.wall() }

// Observe takes another node's reading of its clock, that was made in the middle
// of a round trip which has ended just now.
func (g *Guard) Observe(node storage.NodeID, wall time.Time, roundTrip time.Duration) {
	if roundTrip > maxRoundTrip {
		return
	}
	at := time.Since(g.begun)
	g.mu.Lock()
	defer g.mu.Unlock()
	g.others[node] = reading{wall.Add(roundTrip/2).UnixNano() - int64(at), at}
}

// Now is the time to stamp proposals with: the own clock's, but never further than
// Limit from the middle of all clocks.
func (g *Guard) Now() time.Time {
	now := g.wall()
	low, high := g.low.Load(), g.high.Load()
	if low == 0 {
		return now
	}
	since := int64(time.Since(g.begun))
	switch at := now.UnixNano() - since; {
	case at < low-int64(Limit):
		return time.Unix(0, low-int64(Limit)+since)
	case at > high+int64(Limit):
		return time.Unix(0, high+int64(Limit)+since)
	}
	return now
}

// Verdict is the newest one.
func (g *Guard) Verdict() Verdict {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.verdict
}

// check judges once more.
func (g *Guard) check() Verdict {
	g.mu.Lock()
	defer g.mu.Unlock()
	at := time.Since(g.begun)
	own := g.wall().UnixNano() - int64(at)
	var others []time.Duration
	for node, r := range g.others {
		if at-r.at > stale {
			delete(g.others, node)
			continue
		}
		others = append(others, time.Duration(r.wall-own))
	}
	g.verdict = judge(others, g.verdict.Apart)
	switch low, high := middle(others); {
	case g.verdict.Others >= 2:
		g.low.Store(own + int64(low))
		g.high.Store(own + int64(high))
	case !g.verdict.Apart: // else the last ones hold, as the own clock is wrong
		g.low.Store(0)
		g.high.Store(0)
	}
	return g.verdict
}

// Watch judges again and again until ctx ends, and tells the first verdict and
// those that change what is to be done.
func (g *Guard) Watch(ctx context.Context, changed func(Verdict)) {
	look := time.NewTicker(checkEvery)
	defer look.Stop()
	told := Verdict{}
	for {
		select {
		case <-look.C:
		case <-ctx.Done():
			return
		}
		if v := g.check(); v.Apart != told.Apart || v.MayLead() != told.MayLead() || v.Unsure != told.Unsure {
			told = v
			changed(v)
		}
	}
}
