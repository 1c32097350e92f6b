package round

import (
	"go.etcd.io/raft/v3"
	"go.etcd.io/raft/v3/tracker"

	"github.com/parley-im/parley/chat"
)

// How long the log keeps what a recalled message said, in ticks from the recall's
// application. A leader waits the longer time for followers that it hears from, so
// that they need no snapshot.
const (
	eraseTicks     = 20
	eraseTicksSlow = 200
)

// erasing is a part of the log that must go although there is room for it: it ends
// with a recall, so that what was recalled lies before.
type erasing struct {
	recalled bool   // by the entries that are being applied
	through  uint64 // 0: nothing must go
	since    int    // in ticks
}

// recall notes that entries up to index have recalled something. One that waits
// already takes those after it along.
func (e *erasing) recall(index uint64, ticks int) {
	if e.through == 0 {
		e.since = ticks
	}
	e.through, e.recalled = index, false
}

// note looks whether a command recalls.
func (e *erasing) note(body chat.CommandBody) {
	if _, ok := body.(chat.Recall); ok {
		e.recalled = true
	}
}

// erasable is up to where the log must go now, 0 when it may stay.
func (g *group) erasable() uint64 {
	waited := g.ticks - g.since
	if g.through == 0 || waited < eraseTicks || waited < eraseTicksSlow && g.awaited(g.through) {
		return 0
	}
	return g.through
}

// awaited says whether this leader hears from a follower that still needs entries
// up to index.
func (g *group) awaited(index uint64) (yes bool) {
	if g.role != raft.StateLeader {
		return false
	}
	g.node.WithProgress(func(id uint64, _ raft.ProgressType, pr tracker.Progress) {
		yes = yes || id != uint64(g.id) && pr.RecentActive && pr.Match < index
	})
	return yes
}
