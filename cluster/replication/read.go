package replication

import (
	"errors"
	"fmt"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/cluster/replication/round"
	"github.com/parley-im/parley/storage"
)

// servedRead is one that may be served.
type servedRead struct {
	shard storage.ShardID
	read  func(storage.View) error
	done  func(error)
}

// Read implements storage.Replicator: a quorum confirms that this node leads,
// what it had committed by then is waited for, and then the views show
// everything that was acknowledged before the call.
func (h *Host) Read(shard storage.ShardID, f func(storage.View) error, done func(error)) {
	if _, err := h.Leader(shard); err != nil {
		done(err)
		return
	}
	if h.waiting.Add(1) > maxQueuedReads {
		h.waiting.Add(-1)
		done(errBusy)
		return
	}
	end := func(err error) {
		h.waiting.Add(-1)
		done(err)
	}
	r := servedRead{shard, f, end}
	// The channel has room for all that may wait.
	if err := h.workerOf(shard).read(round.Read{Shard: shard, Serve: func() { h.reads <- r }, Refuse: end}); err != nil {
		end(err)
	}
}

func (h *Host) serveReads() {
	for r := range h.reads {
		view, err := h.o.Store.View(r.shard)
		if err == nil {
			// What was allowed a moment ago may belong to a replica that is gone.
			if _, err = h.Leader(r.shard); err == nil {
				err = r.read(view)
			}
			err = errors.Join(err, view.Close())
		}
		switch {
		case errors.Is(err, storage.ErrGone):
			err = errNotLeader
		case errors.Is(err, storage.ErrDamaged):
			h.fail(fmt.Errorf("read: %w", err))
			err = errFailed
		case err != nil && chat.CodeOf(err) != chat.CodeUnavailable:
			h.o.Log.Error("read failed", "shard", r.shard, "error", err)
		}
		r.done(err)
	}
}
