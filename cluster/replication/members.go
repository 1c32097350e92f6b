package replication

import (
	"context"
	"slices"
	"time"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/cluster/replication/round"
	"github.com/parley-im/parley/proto/logpb"
	"github.com/parley-im/parley/proto/peerpb"
	"github.com/parley-im/parley/storage"
)

// Receive takes a message of another node; it never blocks.
func (h *Host) Receive(from storage.NodeID, m *peerpb.Message) {
	if w := h.workerOf(storage.ShardID(m.Shard)); w != nil {
		w.receive(from, m)
	}
}

// LinkDown says that the connection to a node broke: followers of its shards
// campaign.
func (h *Host) LinkDown(node storage.NodeID) {
	for _, w := range h.workers {
		w.do(func(core *round.Worker) { core.LinkDown(node) })
	}
}

// ask runs f on the shard's worker and waits for it.
func (h *Host) ask(ctx context.Context, shard storage.ShardID, f func(core *round.Worker, done func(error))) error {
	w := h.workerOf(shard)
	if w == nil {
		return chat.Errorf(chat.CodeInvalidParam, "change replicas", "there is no shard %d", shard)
	}
	answered := make(chan error, 1)
	if !w.do(func(core *round.Worker) { f(core, func(err error) { answered <- err }) }) {
		return errClosing
	}
	select {
	case err := <-answered:
		return err
	case <-ctx.Done():
		return ctx.Err()
	case <-h.stop.Done():
		return errClosing
	}
}

// Descriptor is a shard's configuration as applied on this node; Unavailable
// when it has no replica.
func (h *Host) Descriptor(ctx context.Context, shard storage.ShardID) (d *logpb.Descriptor, err error) {
	err = h.ask(ctx, shard, func(core *round.Worker, done func(error)) {
		if d = core.Descriptor(shard); d == nil {
			done(errNotLeader)
			return
		}
		done(nil)
	})
	return d, err
}

// Change makes one change to a shard's replicas on the node that leads it.
func (h *Host) Change(ctx context.Context, c round.Change) error {
	return h.ask(ctx, c.Shard, func(core *round.Worker, done func(error)) {
		c.Done = done
		core.Change(c)
	})
}

// Transfer asks to hand a shard's leadership to a node's replica.
func (h *Host) Transfer(shard storage.ShardID, to storage.NodeID) {
	if w := h.workerOf(shard); w != nil {
		w.do(func(core *round.Worker) { core.Transfer(shard, to) })
	}
}

// lookAgain is how often a move looks how far it is.
const lookAgain = 50 * time.Millisecond

// Move gives a shard a replica on the node to and takes the replica from away,
// on the node that leads the shard: learner, catch-up, then one joint change.
// It may be called again after an error, also on the next leader, and goes on
// where the shard is. A leader that is to go hands over first and answers
// Unavailable.
func (h *Host) Move(ctx context.Context, shard storage.ShardID, to storage.NodeID, from storage.ReplicaID) error {
	for {
		d, err := h.Descriptor(ctx, shard)
		if err != nil {
			return err
		}
		done, err := h.moveStep(ctx, shard, d, to, from)
		if done || err != nil && chat.CodeOf(err) != chat.CodeBusy {
			return err
		}
		select {
		case <-time.After(lookAgain):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// moveStep does the next thing that a move needs.
func (h *Host) moveStep(ctx context.Context, shard storage.ShardID, d *logpb.Descriptor, to storage.NodeID, from storage.ReplicaID) (done bool, err error) {
	replica := replicaOn(d, to)
	leaving := slices.ContainsFunc(d.Members, func(m *logpb.Member) bool { return m.Replica == uint64(from) })
	switch {
	case len(d.VotersOutgoing) > 0:
		return false, nil
	case replica == 0:
		return false, h.Change(ctx, round.Change{Shard: shard, Learners: []storage.NodeID{to}})
	case !slices.Contains(d.Voters, uint64(replica)):
		err := h.ask(ctx, shard, func(core *round.Worker, done func(error)) {
			if core.CaughtUp(shard, replica) {
				done(nil)
			} else if core.Leads(shard) == 0 {
				done(errNotLeader)
			} else {
				done(errBusy)
			}
		})
		if err != nil {
			return false, err
		}
		c := round.Change{Shard: shard, Promote: []storage.ReplicaID{replica}}
		if leaving {
			c.Remove = []storage.ReplicaID{from}
		}
		return h.changeAway(ctx, d, c, from)
	case leaving:
		return h.changeAway(ctx, d, round.Change{Shard: shard, Remove: []storage.ReplicaID{from}}, from)
	}
	return true, nil
}

// changeAway makes a change after which a replica is gone; when it is the
// leader's own, leadership goes first.
func (h *Host) changeAway(ctx context.Context, d *logpb.Descriptor, c round.Change, from storage.ReplicaID) (bool, error) {
	if own := replicaOn(d, h.o.Store.Node()); own == from {
		for _, m := range d.Members {
			if m.Replica != uint64(own) && slices.Contains(d.Voters, m.Replica) {
				h.Transfer(c.Shard, storage.NodeID(m.Node))
				return false, errNotLeader
			}
		}
	}
	return false, h.Change(ctx, c)
}

func replicaOn(d *logpb.Descriptor, node storage.NodeID) storage.ReplicaID {
	for _, m := range d.GetMembers() {
		if m.Node == string(node) {
			return storage.ReplicaID(m.Replica)
		}
	}
	return 0
}
