package replication

import (
	"context"
	"errors"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/cluster/replication/round"
	"github.com/parley-im/parley/proto/peerpb"
	"github.com/parley-im/parley/storage"
)

// snapshotChunk is about how many bytes of rows travel at a time.
const snapshotChunk = 256 << 10

// sendSnapshot streams a frozen shard beside the rounds and reports the end.
func (w *worker) sendSnapshot(s round.Snapshot) {
	h := w.h
	h.sending.Go(func() {
		err := errAlone
		if h.o.Peers != nil {
			err = h.o.Peers.SendSnapshot(h.stop, s.To, s.Head, func() ([]byte, error) { return s.Frozen.Next(snapshotChunk) })
		}
		if err = errors.Join(err, s.Frozen.Close()); err != nil {
			h.o.Log.Warn("snapshot not sent", "shard", s.Head.Shard, "to", s.To, "error", err)
		}
		w.do(func(core *round.Worker) { core.SnapshotSent(s.Head, err == nil) })
	})
}

var errAlone = errors.New("this node has no connection to others")

// Incoming is a snapshot on its way in. Install or Discard ends it.
type Incoming struct {
	w       *worker
	from    storage.NodeID
	head    *peerpb.Message
	staging storage.Staging
}

// StageSnapshot begins to take in a shard's contents.
func (h *Host) StageSnapshot(from storage.NodeID, head *peerpb.Message) (*Incoming, error) {
	w := h.workerOf(storage.ShardID(head.Shard))
	if w == nil {
		return nil, chat.Errorf(chat.CodeInvalidParam, "take a snapshot", "there is no shard %d", head.Shard)
	}
	if err := h.refusal(); err != nil {
		return nil, err
	}
	staging, err := h.o.Store.Stage(storage.ShardID(head.Shard))
	if err != nil {
		return nil, err
	}
	return &Incoming{w: w, from: from, head: head, staging: staging}, nil
}

// Write takes the next chunk.
func (i *Incoming) Write(rows []byte) error { return i.staging.Write(rows) }

// Discard drops what was staged.
func (i *Incoming) Discard() error { return i.staging.Discard() }

// Install makes durable what was written and waits until the shard's replica
// has it. When ctx ends first, the installation may still happen.
func (i *Incoming) Install(ctx context.Context) error {
	applied, err := i.staging.Seal()
	if err != nil {
		return errors.Join(err, i.staging.Discard())
	}
	done := make(chan error, 1)
	staged := round.Staged{From: i.from, Head: i.head, Applied: applied, Staging: i.staging, Done: func(err error) { done <- err }}
	if !i.w.do(func(core *round.Worker) { core.Staged(staged) }) {
		return errors.Join(errClosing, i.staging.Discard())
	}
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}
