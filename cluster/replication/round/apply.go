package round

import (
	"fmt"

	pb "go.etcd.io/raft/v3/raftpb"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/proto/logpb"
	"github.com/parley-im/parley/storage"
)

// apply runs committed entries against the shard's rows and notes how far it
// came, in the same batch.
func (g *group) apply(r *Round, entries []*pb.Entry) {
	if len(entries) == 0 {
		return
	}
	g.applyEntries(r, entries)
	last := entries[len(entries)-1]
	g.applied = storage.Position{Index: last.GetIndex(), Term: storage.Term(last.GetTerm())}
	r.batch.SetApplied(g.shard, storage.Applied{Position: g.applied, Descriptor: g.descData})
	r.wrote = true
}

func (g *group) applyEntries(r *Round, entries []*pb.Entry) {
	state := r.batch.State(g.shard)
	for _, e := range entries {
		switch e.GetType() {
		case pb.EntryNormal:
			if len(e.Data) > 0 {
				g.applyProposal(r, state, e.Data)
			}
		case pb.EntryConfChangeV2:
			g.applyChange(r, e.Data)
		default:
			panic(fmt.Sprintf("round: %v: entry %d of type %v", g, e.GetIndex(), e.GetType()))
		}
	}
}

// applyProposal runs one proposal. What cannot be read was not written by a
// release that may share a cluster with this one: a replica that would skip it
// would diverge, so it panics.
func (g *group) applyProposal(r *Round, state chat.State, data []byte) {
	var p logpb.Proposal
	if err := p.UnmarshalVT(data); err != nil {
		panic(fmt.Sprintf("round: %v: proposal does not decode: %v", g, err))
	}
	if g.w.o.Plant == ApplyEarly && p.Origin == g.w.o.Origin && g.pending[p.Number].done == nil {
		return // by propose
	}
	if p.Document != nil {
		err := g.applyDocument(r, p.Document)
		if p.Origin == g.w.o.Origin {
			g.settle(r, p.Number, storage.Outcome{}, err)
		}
		return
	}
	out := storage.Outcome{Results: make([]chat.Result, len(p.Commands))}
	for i, c := range p.Commands {
		body, err := c.Chat()
		if err != nil {
			panic(fmt.Sprintf("round: %v: %v", g, err))
		}
		var events []chat.Event
		out.Results[i], events = chat.Apply(state, chat.Command{Version: p.Version, Time: p.TimeMs, Body: body})
		out.Events = append(out.Events, events...)
	}
	if p.Origin == g.w.o.Origin {
		g.settle(r, p.Number, out, nil)
	}
}

// applyDocument replaces the shard's document unless it has changed meanwhile.
func (g *group) applyDocument(r *Round, set *logpb.SetDocument) error {
	if now := r.batch.Document(g.shard).Version; now != set.Expect {
		return fmt.Errorf("%w: version %d was expected, it has %d", storage.ErrConflict, set.Expect, now)
	}
	r.batch.SetDocument(g.shard, storage.Document{Version: set.Expect + 1, Content: set.Content})
	return nil
}
