package replication

import (
	"time"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/cluster/replication/round"
	"github.com/parley-im/parley/storage"
)

// defaultStall is when others may have elected another leader.
const defaultStall = round.ElectionTime

var (
	errStalled        = chat.Errorf(chat.CodeUnavailable, "replicate", "the disk is stalled")
	errUnknownStalled = chat.Errorf(chat.CodeTimeout, "replicate", "the disk is stalled; the outcome is unknown")
)

// watch looks whether a commit of a worker hangs, and keeps its callers from
// waiting for it.
func (h *Host) watch() {
	look := time.NewTicker(h.o.Stall / 5)
	defer look.Stop()
	for {
		select {
		case <-look.C:
		case <-h.stop.Done():
			return
		}
		for _, w := range h.workers {
			if begun := w.committing.Load(); begun != 0 && time.Since(h.begun)-time.Duration(begun) > h.o.Stall {
				w.stall()
			}
		}
	}
}

// stall answers whatever waits for a worker whose disk hangs: what is still in
// the inbox was not done, of the rest nobody knows.
func (w *worker) stall() {
	if w.stalled.CompareAndSwap(false, true) {
		w.h.o.Log.Warn("the disk is stalled; others may take over")
	}
	w.mu.Lock()
	queued, reads := w.proposals, w.reads
	w.proposals, w.reads = nil, nil
	var inside []uint64
	waiting := make(map[uint64]bool, len(queued))
	for _, p := range queued {
		waiting[p.Number] = true
	}
	for number := range w.calls {
		if !waiting[number] {
			inside = append(inside, number)
		}
	}
	w.mu.Unlock()
	for _, p := range queued {
		w.settle(p.Number, storage.Outcome{}, errStalled)
	}
	for _, number := range inside {
		w.giveUp(number)
	}
	for _, r := range reads {
		r.Refuse(errStalled)
	}
}
