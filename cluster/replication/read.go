package replication

import (
	"errors"

	"github.com/parley-im/parley/storage"
)

// Read implements storage.Replicator. With one voter every committed row is
// agreed and every ack comes after its commit, so the store as it is when the
// read begins shows all that was acknowledged before the call.
func (h *Host) Read(shard storage.ShardID, f func(storage.View) error, done func(error)) {
	if err := h.enqueueRead(read{shard: shard, read: f, done: done}); err != nil {
		done(err)
	}
}

func (h *Host) enqueueRead(r read) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := h.refusal(); err != nil {
		return err
	}
	select {
	case h.reads <- r:
		return nil
	default:
		return errBusy
	}
}

func (h *Host) serveReads() {
	defer h.done.Done()
	for r := range h.reads {
		view, err := h.o.Store.View(r.shard)
		if err == nil {
			err = errors.Join(r.read(view), view.Close())
		}
		if err != nil {
			h.o.Log.Error("read failed", "shard", r.shard, "error", err)
		}
		r.done(err)
	}
}
