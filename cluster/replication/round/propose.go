package round

import (
	"maps"
	"slices"

	pb "go.etcd.io/raft/v3/raftpb"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/proto/logpb"
	"github.com/parley-im/parley/storage"
)

// maxProposed bounds the bytes that a group has proposed and not applied; what
// is above waits in its queue, whose bound is the caller's. maxMerged is up to
// how many bytes of proposals become one entry of the log: a row, a copy and
// Raft's bookkeeping are paid by the entry.
const (
	maxProposed = 4 << 20
	maxMerged   = 64 << 10
)

// Proposal is a number of commands for one shard.
type Proposal struct {
	Shard storage.ShardID
	Term  storage.Term // of the leader that shall take it
	// Data is a logpb.Proposal with Origin and Number set. Numbers count up
	// from 1 and are not used twice.
	Number uint64
	Data   []byte
	// Version, Time and Commands are those of Data, so that they need not be decoded
	// where they were encoded; nobody may change them any more. Data without
	// commands is decoded.
	Version  uint32
	Time     int64
	Commands []chat.CommandBody
	// Done is called exactly once, as an Answer.
	Done func(storage.Outcome, error)
}

// entry is one of the log that was proposed here and is not applied.
type entry struct {
	data  []byte
	calls []Proposal // whose Data is in data
}

// Propose takes a proposal for the next round.
func (w *Worker) Propose(p Proposal) {
	g := w.groups[p.Shard]
	if g == nil {
		w.answer(Answer{Done: p.Done, Err: ErrNotLeader})
		return
	}
	g.queue = append(g.queue, p)
	w.touch(g)
}

// answer owes an answer that no group stands for.
func (w *Worker) answer(a Answer) { w.owed = append(w.owed, a) }

// propose hands the queue to Raft as one message, up to what may be in flight.
func (g *group) propose(r *Round) {
	entries := g.merge(r)
	if len(entries) == 0 {
		return
	}
	m := &pb.Message{Type: pb.MsgProp.Enum(), From: new(uint64(g.id)), Entries: make([]*pb.Entry, len(entries))}
	for i, e := range entries {
		m.Entries[i] = &pb.Entry{Data: e.data}
		g.pending[e.calls[0].Number] = e
		g.inFlight += len(e.data)
	}
	if err := g.node.Step(m); err == nil {
		if g.w.o.Plant == ApplyEarly {
			g.applyEntries(r, m.Entries)
			r.wrote = true
		}
		return
	}
	for _, e := range entries { // dropped as a whole: nothing was done
		g.settle(r, e.calls[0].Number, storage.Outcome{}, errBusy)
	}
}

// merge takes proposals from the queue and makes entries of them.
func (g *group) merge(r *Round) (entries []*entry) {
	n, taken := 0, g.inFlight+g.ahead
	for n < len(g.queue) && taken < maxProposed {
		if p := &g.queue[n]; g.leading == 0 || p.Term != g.leading {
			r.Answers = append(r.Answers, Answer{Done: p.Done, Err: ErrNotLeader})
			n++
			continue
		}
		many, size := g.together(n, maxProposed-taken)
		e := &entry{g.queue[n].Data, slices.Clone(g.queue[n : n+many])}
		if many > 1 {
			e.data = append(make([]byte, 0, size), e.data...)
			for _, p := range e.calls[1:] {
				e.data = logpb.AppendProposal(e.data, p.Data)
			}
		}
		entries = append(entries, e)
		n, taken = n+many, taken+len(e.data)
	}
	g.dequeue(n)
	return entries
}

// together says how many proposals of the queue, from the n-th on, become one
// entry of at most so many bytes, but one in any case, and how many bytes it
// has.
func (g *group) together(n, room int) (many, size int) {
	room = min(room, maxMerged)
	for _, p := range g.queue[n:] {
		more := len(p.Data)
		if many > 0 {
			more = logpb.SizeAppended(p.Data)
		}
		if p.Term != g.leading || many > 0 && size+more > room {
			break
		}
		many, size = many+1, size+more
	}
	return many, size
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
	g.pending[number] = &entry{data, []Proposal{{Number: number, Data: data, Done: done}}}
	g.inFlight += len(data)
	g.w.touch(g)
	return true
}

// ownNumber gives a number that no proposal of a caller has.
func (w *Worker) ownNumber() uint64 {
	w.number--
	return w.number
}

// take takes an entry of this node off the pending ones, by its first number;
// nil when its callers have been answered.
func (g *group) take(number uint64) *entry {
	e := g.pending[number]
	if e != nil {
		delete(g.pending, number)
		g.inFlight -= len(e.data)
	}
	return e
}

// settle gives all callers of an entry the same answer.
func (g *group) settle(r *Round, number uint64, out storage.Outcome, err error) {
	if e := g.take(number); e != nil {
		for _, p := range e.calls {
			r.Answers = append(r.Answers, Answer{Done: p.Done, Outcome: out, Err: err})
		}
	}
}

func sortedKeys[V any](m map[uint64]V) []uint64 { return slices.Sorted(maps.Keys(m)) }
