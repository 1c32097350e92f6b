package sim

import (
	"time"

	"github.com/parley-im/parley/cluster/replication/round"
	"github.com/parley-im/parley/proto/peerpb"
)

// network carries messages between nodes, late, twice, out of order or not at
// all. Links have a direction.
type network struct {
	run   *run
	links [][]link // by from and to
}

type link struct {
	blocked int           // partitions that cut it
	last    time.Duration // when the newest message arrives
}

func (w *network) grow(n int) {
	for i := range w.links {
		w.links[i] = append(w.links[i], link{})
	}
	w.links = append(w.links, make([]link, n))
}

func (w *network) link(from, to *node) *link { return &w.links[from.number-1][to.number-1] }

// send is the host's Peers.Send.
func (w *network) send(from *worker, o round.Outgoing) {
	r := w.run
	to := r.node(o.To)
	if to == nil {
		r.violate("n%d writes to %s, which there never was", from.n.number, o.To)
	}
	l := w.link(from.n, to)
	if to.wiped || !to.up && r.chance(0.5) || l.blocked > 0 || !r.healed && r.chance(r.plan.drop) {
		r.message(evDrop, from.n, to, o.Message)
		if r.chance(0.3) { // the queue was full, or there was no connection
			from.do(func(core *round.Worker) { core.Unreachable(o) })
		}
		return
	}
	r.message(evSend, from.n, to, o.Message)
	m := o.Message
	if r.plan.coded {
		m = r.recode(m)
	}
	w.deliver(from.n, to, m)
	if !r.healed && r.chance(r.plan.dup) {
		w.deliver(from.n, to, m)
	}
}

// deliver has a message arrive after a delay.
func (w *network) deliver(from, to *node, m *peerpb.Message) {
	r := w.run
	at, start := r.now+w.delay(), from.starts
	if l := w.link(from, to); r.plan.fifo {
		at = max(at, l.last)
		l.last = at
	}
	r.after(at-r.now, func() {
		if to.up && r.takes(to, from, start) {
			r.message(evReceive, to, from, m)
			to.workers[int(m.Shard)%len(to.workers)].receive(from, m)
		}
	})
}

func (w *network) delay() time.Duration {
	r := w.run
	if !r.healed && r.chance(r.plan.slowMessages) {
		return r.around(r.plan.tail)
	}
	return r.plan.latency/2 + r.around(r.plan.latency/2)
}

// noticeDown has a node hear that its connection to another one broke.
func (w *network) noticeDown(n, gone *node) {
	n.after(w.run.between(0, 20*time.Millisecond), func() {
		w.run.trace.add(evLinkDown, n.number, uint64(gone.number))
		for _, each := range n.workers {
			each.do(func(core *round.Worker) { core.LinkDown(gone.name) })
		}
	})
}

// breakLink resets the connection of two nodes: both hear of it.
func (w *network) breakLink(a, b *node) {
	w.noticeDown(a, b)
	w.noticeDown(b, a)
}

// recode is what the wire does.
func (r *run) recode(m *peerpb.Message) *peerpb.Message {
	data, err := m.MarshalVT()
	out := &peerpb.Message{}
	if err == nil {
		err = out.UnmarshalVT(data)
	}
	if err != nil {
		r.violate("a message does not survive the wire: %v", err)
	}
	return out
}

// message puts a message into the trace.
func (r *run) message(k kind, at, other *node, m *peerpb.Message) {
	t := uint64(m.Type)
	switch m.Kind {
	case peerpb.Kind_KIND_ASK:
		t = typeAsk
	case peerpb.Kind_KIND_DESTROY:
		t = typeDestroy
	}
	r.trace.add(k, at.number, uint64(other.number), uint64(m.Shard), t, m.Term, m.Index, m.To)
}
