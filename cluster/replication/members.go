package replication

import (
	"context"

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

// ask runs f on the shard's worker and waits for what it answers, which f must
// give once.
func ask[T any](ctx context.Context, h *Host, shard storage.ShardID, f func(core *round.Worker, answer func(T, error))) (T, error) {
	var none T
	w := h.workerOf(shard)
	if w == nil {
		return none, chat.Errorf(chat.CodeInvalidParam, "change replicas", "there is no shard %d", shard)
	}
	return askWorker(ctx, w, f)
}

// answered is what an ask gave.
type answered[T any] struct {
	value T
	err   error
}

// askWorker is ask for a worker.
func askWorker[T any](ctx context.Context, w *worker, f func(core *round.Worker, answer func(T, error))) (T, error) {
	var none T
	out := make(chan answered[T], 1)
	if !w.do(func(core *round.Worker) { f(core, func(v T, err error) { out <- answered[T]{v, err} }) }) {
		return none, errClosing
	}
	select {
	case a := <-out:
		return a.value, a.err
	case <-ctx.Done():
		return none, ctx.Err()
	case <-w.h.stop.Done():
		return none, errClosing
	}
}

// Descriptor is a shard's configuration as applied on this node, which must not
// be changed; Unavailable when it has no replica.
func (h *Host) Descriptor(ctx context.Context, shard storage.ShardID) (*logpb.Descriptor, error) {
	return ask(ctx, h, shard, func(core *round.Worker, answer func(*logpb.Descriptor, error)) {
		d := core.Descriptor(shard)
		if d == nil {
			answer(nil, round.ErrNotLeader)
			return
		}
		answer(d, nil)
	})
}

// Change makes one change to a shard's replicas on the node that leads it.
func (h *Host) Change(ctx context.Context, c round.Change) error {
	_, err := ask(ctx, h, c.Shard, func(core *round.Worker, answer func(struct{}, error)) {
		c.Done = func(err error) { answer(struct{}{}, err) }
		core.Change(c)
	})
	return err
}

// Withhold has the node lead no shard that another one can lead, or ends that.
func (h *Host) Withhold(on bool) {
	for _, w := range h.workers {
		w.do(func(core *round.Worker) { core.Withhold(on) })
	}
}

// Transfer asks to hand a shard's leadership to a node's replica.
func (h *Host) Transfer(shard storage.ShardID, to storage.NodeID) {
	if w := h.workerOf(shard); w != nil {
		w.do(func(core *round.Worker) { core.Transfer(shard, to) })
	}
}
