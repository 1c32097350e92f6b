package round

import (
	"maps"
	"slices"

	pb "go.etcd.io/raft/v3/raftpb"

	"github.com/parley-im/parley/storage"
)

// maxProposed bounds the bytes that a group has proposed and not applied; what
// is above waits in its queue, whose bound is the caller's.
const maxProposed = 4 << 20

// Proposal is a number of commands for one shard.
type Proposal struct {
	Shard storage.ShardID
	Term  storage.Term // of the leader that shall take it
	// Data is a logpb.Proposal with Origin and Number set. Numbers count up
	// from 1 and are not used twice.
	Number uint64
	Data   []byte
	// Done is called exactly once, as an Answer.
	Done func(storage.Outcome, error)
}

type pending struct {
	bytes int
	done  func(storage.Outcome, error)
}

// Propose takes a proposal for the next round.
func (w *Worker) Propose(p Proposal) {
	g := w.groups[p.Shard]
	if g == nil {
		w.answer(Answer{Done: p.Done, Err: errNotLeader})
		return
	}
	g.queue = append(g.queue, p)
	w.touch(g)
}

// answer owes an answer that no group stands for.
func (w *Worker) answer(a Answer) { w.owed = append(w.owed, a) }

// propose hands the queue to Raft as one message, up to what may be in flight.
func (g *group) propose(r *Round) {
	var entries []*pb.Entry
	n := 0
	for ; n < len(g.queue) && g.inFlight < maxProposed; n++ {
		p := g.queue[n]
		if g.leading == 0 || p.Term != g.leading {
			r.Answers = append(r.Answers, Answer{Done: p.Done, Err: errNotLeader})
			continue
		}
		entries = append(entries, &pb.Entry{Data: p.Data})
		g.pending[p.Number] = pending{len(p.Data), p.Done}
		g.inFlight += len(p.Data)
	}
	taken := g.queue[:n]
	defer g.dequeue(n)
	if len(entries) == 0 {
		return
	}
	if err := g.node.Step(&pb.Message{Type: pb.MsgProp.Enum(), From: new(uint64(g.id)), Entries: entries}); err == nil {
		if g.w.o.Plant == ApplyEarly {
			g.applyEntries(r, entries)
			r.wrote = true
		}
		return
	}
	for _, p := range taken { // dropped as a whole: nothing was done
		if q, ok := g.pending[p.Number]; ok {
			delete(g.pending, p.Number)
			g.inFlight -= q.bytes
			r.Answers = append(r.Answers, Answer{Done: p.Done, Err: errBusy})
		}
	}
}

// keptQueue is up to how many proposals the memory of an empty queue is kept for.
const keptQueue = 256

// dequeue drops the first n proposals.
func (g *group) dequeue(n int) {
	clear(g.queue[:n])
	switch {
	case n < len(g.queue):
		g.queue = g.queue[n:]
	case cap(g.queue) <= keptQueue:
		g.queue = g.queue[:0]
	default:
		g.queue = nil
	}
}

// proposeOwn proposes a command of the group's own; done hears of it as a
// proposer would.
func (g *group) proposeOwn(kind pb.EntryType, data []byte, number uint64, done func(storage.Outcome, error)) bool {
	m := &pb.Message{Type: pb.MsgProp.Enum(), From: new(uint64(g.id)), Entries: []*pb.Entry{{Type: kind.Enum(), Data: data}}}
	if err := g.node.Step(m); err != nil || m.Entries[0].GetType() != kind { // Raft puts an empty entry in place of a change that it refuses
		return false
	}
	g.pending[number] = pending{done: done}
	g.w.touch(g)
	return true
}

// ownNumber gives a number that no proposal of a caller has.
func (w *Worker) ownNumber() uint64 {
	w.number--
	return w.number
}

// settle answers a proposal of this node that was applied.
func (g *group) settle(r *Round, number uint64, out storage.Outcome, err error) {
	p, ok := g.pending[number]
	if !ok {
		return
	}
	delete(g.pending, number)
	g.inFlight -= p.bytes
	r.Answers = append(r.Answers, Answer{Done: p.done, Outcome: out, Err: err})
}

func sortedKeys[V any](m map[uint64]V) []uint64 { return slices.Sorted(maps.Keys(m)) }
