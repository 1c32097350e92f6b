package replication

import (
	"fmt"
	"time"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/proto/logpb"
	"github.com/parley-im/parley/storage"
)

// Propose implements storage.Replicator.
func (h *Host) Propose(shard storage.ShardID, term storage.Term, commands []chat.CommandBody, done func(storage.Outcome, error)) {
	if term != h.term {
		done(storage.Outcome{}, errTerm)
		return
	}
	p := logpb.Proposal{Version: chat.Version, TimeMs: h.o.Now().UnixMilli(), Commands: make([]*logpb.Command, len(commands))}
	for i, c := range commands {
		p.Commands[i] = logpb.FromCommand(c)
	}
	data, err := p.MarshalVT()
	if err == nil {
		err = h.enqueue(proposal{shard: shard, data: data, done: done})
	}
	if err != nil {
		done(storage.Outcome{}, err)
	}
}

func (h *Host) enqueue(p proposal) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := h.refusal(); err != nil {
		return err
	}
	if h.queued+len(p.data) > maxQueuedBytes {
		return errBusy
	}
	h.queue = append(h.queue, p)
	h.queued += len(p.data)
	h.signal()
	return nil
}

// signal wakes the worker; the caller holds mu.
func (h *Host) signal() {
	select {
	case h.wake <- struct{}{}:
	default:
	}
}

// work runs rounds until the host is closed and its queue empty.
func (h *Host) work() {
	defer h.done.Done()
	for range h.wake {
		for {
			round, closed := h.drain()
			if len(round) == 0 {
				if closed {
					return
				}
				break
			}
			h.round(round)
		}
	}
}

// drain takes the oldest proposals, up to the bytes of a round.
func (h *Host) drain() (round []proposal, closed bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	n, bytes := 0, 0
	for n < len(h.queue) && (n == 0 || bytes+len(h.queue[n].data) <= maxRoundBytes) {
		bytes += len(h.queue[n].data)
		n++
	}
	round = h.queue[:n:n]
	h.queue = h.queue[n:]
	h.queued -= bytes
	if len(h.queue) == 0 {
		h.queue = nil
	}
	return round, h.closed
}

// round applies proposals in one batch, commits, and answers.
func (h *Host) round(round []proposal) {
	batch := h.o.Store.Batch()
	outcomes := make([]storage.Outcome, len(round))
	for i, p := range round {
		outcomes[i] = h.apply(batch.State(p.shard), p.data)
	}
	begin := time.Now()
	if err := batch.Commit(); err != nil {
		h.fail(round, fmt.Errorf("commit %d proposals: %w", len(round), err))
		return
	}
	h.stats.commitNanos.Add(uint64(time.Since(begin)))
	h.stats.rounds.Add(1)
	h.stats.proposals.Add(uint64(len(round)))
	for i, p := range round {
		p.done(outcomes[i], nil)
	}
}

// fail answers the round whose commit failed and all that waits behind it, and
// takes nothing more, so that nobody is acknowledged while Fatal works.
func (h *Host) fail(round []proposal, err error) {
	h.mu.Lock()
	waiting := h.queue
	h.failed, h.queue, h.queued = true, nil, 0
	h.mu.Unlock()
	for _, p := range round {
		p.done(storage.Outcome{}, errUnknown)
	}
	for _, p := range waiting {
		p.done(storage.Outcome{}, errFailed)
	}
	h.o.Fatal(err)
}

// apply runs one proposal. What cannot be read was not written by Propose: a
// replica that would skip it would diverge, so it panics.
func (h *Host) apply(s chat.State, data []byte) storage.Outcome {
	var p logpb.Proposal
	if err := p.UnmarshalVT(data); err != nil {
		panic(fmt.Sprintf("replication: proposal does not decode: %v", err))
	}
	out := storage.Outcome{Results: make([]chat.Result, len(p.Commands))}
	for i, c := range p.Commands {
		body, err := c.Chat()
		if err != nil {
			panic(fmt.Sprintf("replication: %v", err))
		}
		var events []chat.Event
		out.Results[i], events = chat.Apply(s, chat.Command{Version: p.Version, Time: p.TimeMs, Body: body})
		out.Events = append(out.Events, events...)
	}
	h.stats.commands.Add(uint64(len(p.Commands)))
	h.stats.bytes.Add(uint64(len(data)))
	return out
}
