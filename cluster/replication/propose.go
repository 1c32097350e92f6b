package replication

import (
	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/cluster/replication/round"
	"github.com/parley-im/parley/proto/logpb"
	"github.com/parley-im/parley/storage"
)

// Propose implements storage.Replicator.
func (h *Host) Propose(shard storage.ShardID, term storage.Term, commands []chat.CommandBody, done func(storage.Outcome, error)) {
	current, err := h.Leader(shard)
	if err == nil && current != term {
		err = errNotLeader
	}
	if err == nil {
		p := &logpb.Proposal{Commands: make([]*logpb.Command, len(commands))}
		for i, c := range commands {
			p.Commands[i] = logpb.FromCommand(c)
		}
		err = h.enqueue(shard, term, p, commands, done)
	}
	if err != nil {
		done(storage.Outcome{}, err)
	}
}

// enqueue numbers a proposal and hands it to the shard's worker, or gives an
// error and never calls done. commands are those of p, if it has any.
func (h *Host) enqueue(
	shard storage.ShardID, term storage.Term, p *logpb.Proposal, commands []chat.CommandBody, done func(storage.Outcome, error),
) error {
	p.Version, p.TimeMs, p.Origin, p.Number = chat.Version, h.o.Now().UnixMilli(), h.origin, h.number.Add(1)
	data, err := p.MarshalVT()
	if err != nil {
		return err
	}
	h.stats.proposals.Add(1)
	return h.workerOf(shard).propose(round.Proposal{Shard: shard, Term: term, Number: p.Number, Data: data, Time: p.TimeMs, Commands: commands, Done: done})
}
