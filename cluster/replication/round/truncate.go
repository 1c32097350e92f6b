package round

import (
	"cmp"
	"slices"

	"go.etcd.io/raft/v3"
	"go.etcd.io/raft/v3/tracker"

	"github.com/parley-im/parley/storage"
)

// Keep says how much of the log stays, in bytes; a zero stands for the default.
// A follower that lacks at most ForAll gets entries, whoever leads; the leader
// keeps ForSlow for one that it hears from; who lacks more gets a snapshot. A log
// is cut only when that frees Step.
type Keep struct {
	ForAll, ForSlow, Step uint64
}

// The defaults of Keep.
const (
	keptForAll   = 1 << 20
	keptForSlow  = 16 << 20
	truncateStep = 256 << 10
)

// marksPerStep is how finely a group knows where in the log how many bytes are.
const marksPerStep = 8

func (k Keep) orDefault() Keep {
	return Keep{cmp.Or(k.ForAll, keptForAll), cmp.Or(k.ForSlow, keptForSlow), cmp.Or(k.Step, truncateStep)}
}

// growth knows about where in the log how many bytes have been written.
//
// Invariant: marks ascend in both fields; written is what has been appended
// since the start, also what was truncated.
type growth struct {
	written uint64
	marks   []mark
}

type mark struct {
	index   uint64
	written uint64
}

func (w *growth) add(index uint64, bytes int, step uint64) {
	w.written += uint64(bytes)
	if n := len(w.marks); n > 0 && w.marks[n-1].index >= index { // the end was replaced
		w.marks = w.marks[:0]
	}
	if n := len(w.marks); n == 0 || w.written-w.marks[n-1].written >= step {
		w.marks = append(w.marks, mark{index, w.written})
	}
}

// before gives the newest mark that leaves at least kept bytes after it.
func (w *growth) before(kept uint64) (index uint64) {
	for _, m := range w.marks {
		if w.written-m.written < kept {
			break
		}
		index = m.index
	}
	return index
}

// truncate drops applied entries that nobody is likely to need, or that must go.
func (g *group) truncate(r *Round) {
	for _, e := range g.open.ready.Entries {
		g.growth.add(e.GetIndex(), len(e.Data)+64, g.w.o.Keep.Step/marksPerStep)
	}
	to := g.erasable()
	if len(g.growth.marks) > 0 && g.growth.written-g.growth.marks[0].written >= g.w.o.Keep.Step {
		to = max(to, g.growth.before(g.kept()))
	}
	for _, index := range g.sent {
		to = min(to, index)
	}
	if g.log.base.Index >= g.through {
		g.erasing = erasing{}
	}
	if to = min(to, g.emitted, g.stable()); to <= g.log.base.Index {
		return
	}
	term, err := g.log.Term(to)
	if err != nil {
		return // tried again in a later round; a broken disk shows at the commit
	}
	base := storage.Position{Index: to, Term: storage.Term(term)}
	r.batch.Truncate(g.shard, base)
	r.wrote = true
	g.log.truncated(base)
	n, _ := slices.BinarySearchFunc(g.growth.marks, to+1, func(m mark, index uint64) int { return int(m.index) - int(index) })
	g.growth.marks = append(g.growth.marks[:0], g.growth.marks[n:]...)
}

// stable is up to where the log is the same in the store as it will be after
// this round: what the round appends may replace entries of an earlier leader,
// of other terms, and the log knows of it only when the round is finished.
func (g *group) stable() uint64 {
	if appended := g.open.ready.Entries; len(appended) > 0 {
		return min(g.log.last, appended[0].GetIndex()-1)
	}
	return g.log.last
}

// kept is how many bytes of the log must stay.
func (g *group) kept() uint64 {
	if len(g.desc.GetMembers()) == 1 {
		return 0
	}
	if g.role != raft.StateLeader {
		return g.w.o.Keep.ForAll
	}
	kept, limit := g.w.o.Keep.ForAll, g.growth.before(g.w.o.Keep.ForAll)
	g.node.WithProgress(func(id uint64, _ raft.ProgressType, pr tracker.Progress) {
		if id != uint64(g.id) && pr.RecentActive && pr.Match < limit {
			kept = g.w.o.Keep.ForSlow
		}
	})
	return kept
}
