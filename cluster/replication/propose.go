package replication

import (
	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/cluster/replication/round"
	"github.com/parley-im/parley/proto/logpb"
	"github.com/parley-im/parley/storage"
)

// Propose implements storage.Replicator.
func (h *Host) Propose(shard storage.ShardID, term storage.Term, commands []chat.CommandBody, done func(storage.Outcome, error)) {
	p := h.proposal(shard, term, done)
	p.Commands = commands
	err := h.leads(shard, term)
	if err == nil {
		err = known(p.Version, commands)
	}
	if err == nil {
		p.Data, err = logpb.EncodeProposal(p.Version, p.Time, h.origin, p.Number, commands)
	}
	if err == nil {
		err = h.enqueue(p)
	}
	if err != nil {
		done(storage.Outcome{}, err)
	}
}

// known refuses commands that nodes of the agreed version could not apply.
func known(version uint32, commands []chat.CommandBody) error {
	for _, c := range commands {
		if since := chat.Since(c); since > version {
			return chat.Errorf(chat.CodeUnsupported, "replicate", "this needs version %d, and some nodes of the cluster are of an older release: its version is %d", since, version)
		}
	}
	return nil
}

func (h *Host) leads(shard storage.ShardID, term storage.Term) error {
	current, err := h.Leader(shard)
	if err == nil && current != term {
		err = round.ErrNotLeader
	}
	return err
}

// proposal makes one that is numbered and has no content yet.
func (h *Host) proposal(shard storage.ShardID, term storage.Term, done func(storage.Outcome, error)) round.Proposal {
	return round.Proposal{Shard: shard, Term: term, Number: h.number.Add(1), Version: h.o.Version(), Time: h.o.Now().UnixMilli(), Done: done}
}

// enqueue hands a proposal to the shard's worker, or gives an error and never
// calls done.
func (h *Host) enqueue(p round.Proposal) error {
	h.stats.proposals.Add(1)
	return h.workerOf(p.Shard).propose(p)
}
