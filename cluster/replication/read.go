package replication

import (
	"errors"
	"fmt"
	"time"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/cluster/replication/round"
	"github.com/parley-im/parley/storage"
)

// Read implements storage.Replicator: a quorum confirms that this node leads,
// what it had committed by then is waited for, and then the views show
// everything that was acknowledged before the call.
func (h *Host) Read(shard storage.ShardID, by storage.Asker, read func(storage.View) error, done func(error)) {
	if _, err := h.Leader(shard); err != nil {
		done(err)
		return
	}
	line, err := h.reads.admit(by)
	if err != nil {
		done(err)
		return
	}
	end := func(err error) {
		h.reads.end(line)
		done(err)
	}
	r := servedRead{shard, by, time.Now(), read, end}
	if err := h.workerOf(shard).read(round.Read{Shard: shard, Serve: func() { h.reads.push(line, r) }, Refuse: end}); err != nil {
		end(err)
	}
}

// serveReads serves reads of the classes below one.
func (h *Host) serveReads(below storage.Class) {
	for {
		line, r, ok := h.reads.next(below)
		if !ok {
			return
		}
		r.done(h.serve(r))
		h.reads.done(line)
	}
}

func (h *Host) serve(r servedRead) error {
	if err := r.stale(); err != nil {
		return err
	}
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
		return round.ErrNotLeader
	case errors.Is(err, storage.ErrDamaged):
		h.fail(fmt.Errorf("read: %w", err))
		return errFailed
	case err != nil && chat.CodeOf(err) != chat.CodeUnavailable:
		h.o.Log.Error("read failed", "shard", r.shard, "error", err)
	}
	return err
}
