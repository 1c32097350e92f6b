package round

import (
	"encoding/binary"

	"go.etcd.io/raft/v3"

	"github.com/parley-im/parley/internal/broken"
	"github.com/parley-im/parley/storage"
)

// Read is a wish to look at a shard as it is when the wish is made, or later.
type Read struct {
	Shard storage.ShardID
	// Serve is the caller's, for when After.Reads has it.
	Serve func()
	// Refuse is called instead, as an Answer, with CodeUnavailable.
	Refuse func(error)
}

// allowedRead may be served once the index is in the views.
type allowedRead struct {
	index uint64
	reads []Read
}

// Read takes a read for the next round.
func (w *Worker) Read(rd Read) {
	g := w.groups[rd.Shard]
	if g == nil {
		w.answer(Answer{Done: func(_ storage.Outcome, err error) { rd.Refuse(err) }, Err: ErrNotLeader})
		return
	}
	g.waiting = append(g.waiting, rd)
	w.touch(g)
}

// askReads asks a quorum, once for all reads of the round, whether this replica
// still leads. Heartbeats repeat the question until it is answered or the
// leadership ends.
func (g *group) askReads(r *Round) {
	if len(g.waiting) == 0 {
		return
	}
	reads := g.waiting
	g.waiting = nil
	switch {
	case g.leading == 0 || !g.leads():
		refuseReads(r, reads)
	case g.w.o.Plant == ReadStale || broken.StaleReads:
		g.allowed = append(g.allowed, allowedRead{g.applied.Index, reads})
	default:
		g.request++
		g.reads[g.request] = reads
		g.node.ReadIndex(binary.BigEndian.AppendUint64(nil, g.request))
	}
}

// askAgain asks once more for all reads when the voters have changed: those who were
// answerAsk may be no voters any more, and a sole voter hears from nobody.
func (g *group) askAgain() {
	for _, request := range sortedKeys(g.reads) {
		g.waiting = append(g.waiting, g.reads[request]...)
	}
	clear(g.reads)
}

// allow takes Raft's answer.
func (g *group) allow(s raft.ReadState) {
	request := binary.BigEndian.Uint64(s.RequestCtx)
	if reads, ok := g.reads[request]; ok {
		delete(g.reads, request)
		g.allowed = append(g.allowed, allowedRead{s.Index, reads})
	}
}

// release hands out the reads whose index the views show.
func (g *group) release(after *After) {
	rest := g.allowed[:0]
	for _, a := range g.allowed {
		if a.index <= g.stored {
			after.Reads = append(after.Reads, a.reads...)
		} else {
			rest = append(rest, a)
		}
	}
	clear(g.allowed[len(rest):])
	g.allowed = rest
}
