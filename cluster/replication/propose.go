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
	if err != nil {
		done(storage.Outcome{}, err)
		return
	}
	number := h.number.Add(1)
	p := logpb.Proposal{
		Version: chat.Version, TimeMs: h.o.Now().UnixMilli(), Commands: make([]*logpb.Command, len(commands)), Origin: h.origin, Number: number,
	}
	for i, c := range commands {
		p.Commands[i] = logpb.FromCommand(c)
	}
	data, err := p.MarshalVT()
	if err == nil {
		h.stats.proposals.Add(1)
		err = h.workerOf(shard).propose(round.Proposal{Shard: shard, Term: term, Number: number, Data: data, Done: done})
	}
	if err != nil {
		done(storage.Outcome{}, err)
	}
}
