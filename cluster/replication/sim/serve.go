package sim

import (
	"errors"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/cluster/replication/round"
	"github.com/parley-im/parley/proto/logpb"
	"github.com/parley-im/parley/storage"
)

// maxProposals bounds what waits for a worker, as the host's bytes do.
const maxProposals = 64

var errQueueFull = chat.Errorf(chat.CodeBusy, "propose", "too much waits")

// owe counts a call until it is answered, which must happen once.
func (n *node) owe(what string, s storage.ShardID) (answered func()) {
	called, starts := false, n.starts
	n.owed++
	return func() {
		if called {
			n.run.violate("n%d shard %d: %s answered twice", n.number, s, what)
		}
		called = true
		if n.starts == starts {
			n.owed--
		}
	}
}

// propose is the host's Propose.
func (n *node) propose(s storage.ShardID, commands []chat.CommandBody, done func(storage.Outcome, error)) {
	term, w := n.leading[s], n.worker(s)
	if term == 0 {
		done(storage.Outcome{}, round.ErrNotLeader)
		return
	}
	if len(w.proposals) >= maxProposals {
		done(storage.Outcome{}, errQueueFull)
		return
	}
	n.proposed++
	p := logpb.Proposal{Version: chat.Version, TimeMs: n.wall(), Origin: n.origin, Number: n.proposed}
	for _, c := range commands {
		p.Commands = append(p.Commands, logpb.FromCommand(c))
	}
	data, err := p.MarshalVT()
	if err != nil {
		n.run.violate("encode a proposal: %v", err)
	}
	answered := n.owe("a proposal", s)
	w.proposals = append(w.proposals, round.Proposal{Shard: s, Term: term, Number: n.proposed, Data: data, Version: p.Version, Time: p.TimeMs, Commands: commands, Done: func(out storage.Outcome, err error) {
		answered()
		done(out, err)
	}})
	w.wake()
}

// read is the host's Read; the view opens as soon as it may.
func (n *node) read(s storage.ShardID, read func(storage.View), refuse func(error)) {
	if n.leading[s] == 0 {
		refuse(round.ErrNotLeader)
		return
	}
	answered, w := n.owe("a read", s), n.worker(s)
	w.reads = append(w.reads, round.Read{Shard: s, Serve: func() {
		answered()
		view, err := n.disk.View(s)
		if err != nil {
			n.run.violate("n%d shard %d: view: %v", n.number, s, err)
		}
		read(view)
	}, Refuse: func(err error) {
		answered()
		refuse(err)
	}})
	w.wake()
}

// look is a read's view.
func (o *op) look(n *node, v storage.View, settle func() bool) {
	r := o.client.run
	h, _, err := v.Head(o.key())
	entries, errE := v.Entries(o.key(), 0, 0, 3, true)
	if err := errors.Join(err, errE); err != nil {
		r.violate("n%d shard %d: read: %v", n.number, o.shard.id, err)
	}
	for i, e := range entries {
		if want := h.Seq - uint64(len(entries)-1-i); e.Seq != want {
			r.violate("n%d shard %d: a read shows entry %d where %d should be", n.number, o.shard.id, e.Seq, want)
		}
	}
	if h.Seq > 0 && len(entries) != int(min(h.Seq, 3)) {
		r.violate("n%d shard %d: a read shows %d of the newest entries up to %d", n.number, o.shard.id, len(entries), h.Seq)
	}
	if err := v.Close(); err != nil {
		o.settled(round.ErrNotLeader, settle)
		return
	}
	r.trace.add(evRead, n.number, uint64(o.number), uint64(o.shard.id), h.Seq)
	if !settle() {
		return
	}
	r.stamp++
	o.answered, o.seq, o.hash = r.stamp, h.Seq, h.Hash
	r.stats.Reads++
	r.after(r.around(r.plan.think), o.client.next)
}

// applied notes what a node answers as the leader of a term, whether or not the
// client hears it.
func (o *op) applied(n *node, term storage.Term, out storage.Outcome) {
	r := o.client.run
	if len(out.Results) != len(o.commands) {
		r.violate("n%d answers op %d with %d results of %d", n.number, o.number, len(out.Results), len(o.commands))
	}
	if o.kind != opSend || firstRefusal(out) != nil {
		return
	}
	for i := range o.ids {
		seq := out.Results[i].Sent.Seq
		if o.seqs != nil && o.seqs[i] != seq {
			r.violate("op %d: message %x was acknowledged at seq %d, then at %d", o.number, o.ids[i], o.seqs[i], seq)
		}
		acked := o.shard.acked[o.conversation]
		acked[term] = max(acked[term], seq)
	}
	if o.seqs == nil {
		for i := range o.ids {
			o.seqs = append(o.seqs, out.Results[i].Sent.Seq)
		}
	}
}

// accepted notes the first write that a shard takes after healing.
func (r *run) accepted(o *op) {
	if r.healed && !o.shard.recovered {
		o.shard.recovered = true
		r.stats.Recovery = max(r.stats.Recovery, r.now-r.healedAt)
	}
}
