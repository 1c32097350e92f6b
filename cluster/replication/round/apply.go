package round

import (
	"fmt"
	"slices"

	"go.etcd.io/raft/v3"
	pb "go.etcd.io/raft/v3/raftpb"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/proto/logpb"
	"github.com/parley-im/parley/storage"
)

// applyCommitted runs what Raft says is committed, but for what applyAhead has
// run before.
func (g *group) applyCommitted(r *Round, entries []*pb.Entry) {
	if n := len(entries); n > 0 {
		g.emitted = entries[n-1].GetIndex()
	}
	for len(entries) > 0 && entries[0].GetIndex() <= g.applied.Index {
		g.ahead -= len(entries[0].Data)
		entries = entries[1:]
	}
	g.apply(r, entries)
}

// applyAhead runs what this round appends, if this replica is the only voter:
// that it is durable here, which the same batch sees to, is then all that it
// takes to be committed, as Raft says too once the round is finished. Its
// callers hear of it after the commit.
func (g *group) applyAhead(r *Round, entries []*pb.Entry) {
	if len(entries) == 0 || g.role != raft.StateLeader || !g.alone() || entries[0].GetIndex() != g.applied.Index+1 {
		return
	}
	if slices.ContainsFunc(entries, func(e *pb.Entry) bool { return e.GetType() != pb.EntryNormal }) {
		return // what comes after a change is committed by others
	}
	for _, e := range entries {
		g.ahead += len(e.Data)
	}
	now := r.Answers
	r.Answers = r.durable
	g.apply(r, entries)
	r.Answers, r.durable = now, r.Answers
}

// alone says whether this replica is the only voter.
func (g *group) alone() bool {
	return len(g.desc.Voters) == 1 && g.desc.Voters[0] == uint64(g.id) && len(g.desc.VotersOutgoing) == 0
}

// apply runs entries that are committed, or are by the time that the batch is
// durable, against the shard's rows and notes how far it came, in the same
// batch.
func (g *group) apply(r *Round, entries []*pb.Entry) {
	if len(entries) == 0 {
		return
	}
	g.applyEntries(r, entries)
	last := entries[len(entries)-1]
	g.applied = storage.Position{Index: last.GetIndex(), Term: storage.Term(last.GetTerm())}
	if g.recalled {
		g.recall(g.applied.Index, g.ticks)
	}
	r.batch.SetApplied(g.shard, storage.Applied{Position: g.applied, Descriptor: g.descData})
	r.wrote = true
}

func (g *group) applyEntries(r *Round, entries []*pb.Entry) {
	state := r.batch.State(g.shard)
	for _, e := range entries {
		switch e.GetType() {
		case pb.EntryNormal:
			if len(e.Data) > 0 {
				g.size.applied += uint64(len(e.Data))
				g.applyEntry(r, state, e.Data)
			}
		case pb.EntryConfChangeV2:
			g.applyChange(r, e.Data)
		default:
			panic(fmt.Sprintf("round: %v: entry %d of type %v", g, e.GetIndex(), e.GetType()))
		}
	}
}

// applyEntry runs an entry's proposals. What cannot be read was not written by
// a release that may share a cluster with this one: a replica that would skip it
// would diverge, so it panics.
func (g *group) applyEntry(r *Round, state *chat.State, data []byte) {
	origin, number, err := logpb.Ident(data)
	if err != nil {
		panic(fmt.Sprintf("round: %v: entry does not decode: %v", g, err))
	}
	if origin == g.w.o.Origin {
		if e := g.take(number); e != nil {
			for _, p := range e.calls {
				out, err := g.applyOwn(r, state, &p)
				r.Answers = append(r.Answers, Answer{Done: p.Done, Outcome: out, Err: err})
			}
			return
		}
		if g.w.o.Plant == ApplyEarly {
			return // by propose
		}
	}
	first := g.decode(data)
	_, _ = g.applyProposal(r, state, first) // whoever proposed it is gone or elsewhere
	for _, p := range first.More {
		_, _ = g.applyProposal(r, state, p)
	}
}

func (g *group) decode(data []byte) *logpb.Proposal {
	p := new(logpb.Proposal)
	if err := p.UnmarshalVT(data); err != nil {
		panic(fmt.Sprintf("round: %v: proposal does not decode: %v", g, err))
	}
	return p
}

// applyOwn runs a proposal whose proposer waits here.
func (g *group) applyOwn(r *Round, state *chat.State, p *Proposal) (storage.Outcome, error) {
	if len(p.Commands) == 0 {
		return g.applyProposal(r, state, g.decode(p.Data))
	}
	out := storage.Outcome{Results: make([]chat.Result, 0, len(p.Commands))}
	for _, body := range p.Commands {
		g.run(state, &out, chat.Command{Version: p.Version, Time: p.Time, Body: body})
	}
	g.report(out.Events)
	return out, nil
}

// applyProposal runs a decoded proposal.
func (g *group) applyProposal(r *Round, state *chat.State, p *logpb.Proposal) (storage.Outcome, error) {
	if p.Document != nil {
		return storage.Outcome{}, g.applyDocument(r, p.Document)
	}
	out := storage.Outcome{Results: make([]chat.Result, 0, len(p.Commands))}
	for _, c := range p.Commands {
		body, err := c.Chat()
		if err != nil {
			panic(fmt.Sprintf("round: %v: %v", g, err))
		}
		g.run(state, &out, chat.Command{Version: p.Version, Time: p.TimeMs, Body: body})
	}
	g.report(out.Events)
	return out, nil
}

// report tells the host what has happened.
func (g *group) report(events []chat.Event) {
	if g.w.o.Applied != nil && len(events) > 0 {
		g.w.o.Applied(g.shard, events)
	}
}

func (g *group) run(state *chat.State, out *storage.Outcome, c chat.Command) {
	g.note(c.Body)
	result, events := chat.Apply(state, c)
	out.Results = append(out.Results, result)
	out.Events = append(out.Events, events...)
}

// applyDocument replaces the shard's document unless it has changed meanwhile.
func (g *group) applyDocument(r *Round, set *logpb.SetDocument) error {
	if now := r.batch.Document(g.shard).Version; now != set.Expect {
		return fmt.Errorf("%w: version %d was expected, it has %d", storage.ErrConflict, set.Expect, now)
	}
	r.batch.SetDocument(g.shard, storage.Document{Version: set.Expect + 1, Content: set.Content})
	return nil
}
