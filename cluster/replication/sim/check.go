package sim

import (
	"bytes"
	"fmt"
	"reflect"
	"slices"
	"time"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/proto/logpb"
	"github.com/parley-im/parley/storage"
)

// healingTime is how long after the last fault everything must be at rest.
const healingTime = 30 * time.Second

// recoveryTime is how long after the last fault each shard must have taken a
// write.
const recoveryTime = 10 * time.Second

// descriptor is a configuration and how it is encoded.
type descriptor struct {
	data []byte
	*logpb.Descriptor
}

// sawDescriptor checks a configuration that a replica has applied: those of one
// version are the same everywhere.
func (r *run) sawDescriptor(n *node, s *shardState, a storage.Applied) {
	if bytes.Equal(a.Descriptor, s.descriptor.data) {
		return
	}
	d := &logpb.Descriptor{}
	if err := d.UnmarshalVT(a.Descriptor); err != nil {
		r.violate("n%d shard %d: descriptor: %v", n.number, s.id, err)
	}
	switch now := s.descriptor.GetVersion(); {
	case d.Version == now:
		r.violate("n%d shard %d: configuration %d is %v, elsewhere it is %v", n.number, s.id, now, d, s.descriptor.Descriptor)
	case d.Version > now:
		if d.NextReplica < s.descriptor.GetNextReplica() {
			r.violate("n%d shard %d: the next replica ID runs back", n.number, s.id)
		}
		s.descriptor = descriptor{bytes.Clone(a.Descriptor), d}
	}
}

// checkDestroyed checks that a replica that goes is no member any more.
func (r *run) checkDestroyed(n *node, shard storage.ShardID, id storage.ReplicaID) {
	d := r.shards[shard].descriptor
	if slices.ContainsFunc(d.GetMembers(), func(m *logpb.Member) bool { return m.Replica == uint64(id) }) {
		r.violate("n%d destroys replica %d of shard %d, a member of %v", n.number, id, shard, d.Descriptor)
	}
}

// unrest says what is not at rest yet, or nothing.
func (r *run) unrest() string {
	for _, c := range r.clients {
		if c.op != nil && c.op.answered == 0 && !c.op.refused {
			return fmt.Sprintf("op %d on shard %d has no answer", c.op.number, c.op.shard.id)
		}
	}
	for _, n := range r.nodes {
		if n.joining {
			return fmt.Sprintf("n%d is not taken yet", n.number)
		}
		if n.owed > 0 && n.up {
			return fmt.Sprintf("n%d owes %d answers", n.number, n.owed)
		}
		if slices.ContainsFunc(n.workers, func(w *worker) bool { return w.open }) { // answers leave before rows can be seen
			return fmt.Sprintf("n%d is in a round", n.number)
		}
	}
	for _, s := range r.shards[1:] {
		if what := r.shardUnrest(s); what != "" {
			return fmt.Sprintf("shard %d: %s", s.id, what)
		}
	}
	return ""
}

func (r *run) shardUnrest(s *shardState) string {
	leader := r.leader(s.id)
	if leader == nil {
		return "nobody leads"
	}
	d := leader.worker(s.id).core.Descriptor(s.id)
	if len(d.VotersOutgoing) > 0 {
		return "a joint change is not left"
	}
	applied := leader.replicaOf(s.id).Applied
	for _, n := range r.nodes {
		if n.wiped {
			if replicaOn(d, n) != 0 {
				return fmt.Sprintf("n%d, wiped, is a member", n.number)
			}
			continue
		}
		rep, id := n.replicaOf(s.id), replicaOn(d, n)
		switch {
		case id == 0 && rep.ID != 0 && !rep.Removed && !r.orphan(n, s, d):
			return fmt.Sprintf("n%d still has replica %d, which was removed", n.number, rep.ID)
		case id != 0 && rep.ID != id:
			return fmt.Sprintf("n%d has no replica %d yet", n.number, id)
		case id != 0 && rep.Applied.Index != applied.Index:
			return fmt.Sprintf("n%d has applied %d, its leader n%d %d", n.number, rep.Applied.Index, leader.number, applied.Index)
		}
	}
	return ""
}

// orphan says whether a removed replica can find nobody who knows better: the
// members that it knows of have all been removed too. It waits for the placement
// to have it destroyed.
func (r *run) orphan(n *node, s *shardState, newest *logpb.Descriptor) bool {
	known := n.worker(s.id).core.Descriptor(s.id)
	return !slices.ContainsFunc(known.GetMembers(), func(m *logpb.Member) bool {
		return replicaOn(newest, r.node(storage.NodeID(m.Node))) != 0
	})
}

// check is the judgement at the end.
func (r *run) check() {
	if what := r.unrest(); what != "" {
		r.violate("%v after healing: %s", healingTime, what)
	}
	if r.stats.Recovery > recoveryTime {
		r.violate("a shard took no write for %v after healing", r.stats.Recovery)
	}
	for _, s := range r.shards[1:] {
		first := r.rowsOf(r.leader(s.id), s)
		r.checkLogs(s, first)
		r.checkUsers(s, first)
		for _, n := range r.nodes {
			if !n.wiped && replicaOn(s.descriptor.Descriptor, n) != 0 {
				if what := first.differs(r.rowsOf(n, s)); what != "" {
					r.violate("shard %d: n%d and n%d differ in %s", s.id, r.leader(s.id).number, n.number, what)
				}
			}
		}
		for i := range s.conversations {
			r.checkHistory(s, i, first.logs[i])
		}
	}
}

// rows are what a replica shows of a shard.
type rows struct {
	heads       []chat.Head
	logs        [][]chat.Entry
	users       []chat.User
	memberships []chat.Membership
	effects     []chat.Effect
}

func (r *run) rowsOf(n *node, s *shardState) (out rows) {
	v, err := n.disk.View(s.id)
	must := func(err error) {
		if err != nil {
			r.violate("n%d shard %d: %v", n.number, s.id, err)
		}
	}
	must(err)
	for _, c := range s.conversations {
		h, _, err := v.Head(c)
		must(err)
		entries, err := v.Entries(c, 0, 0, int(h.Seq)+1, false)
		must(err)
		out.heads, out.logs = append(out.heads, h), append(out.logs, entries)
		first, second, _ := c.Peers()
		for _, id := range []string{first, second} {
			u, _, err := v.User(chat.UserKey{App: 1, ID: id})
			must(err)
			m, _, err := v.Membership(chat.UserKey{App: 1, ID: id}, c)
			must(err)
			out.users, out.memberships = append(out.users, u), append(out.memberships, m)
		}
	}
	destinations, err := v.Undelivered()
	must(err)
	for _, to := range destinations {
		_, effects, err := v.Effects(to, 1000)
		must(err)
		out.effects = append(out.effects, effects...)
	}
	must(v.Close())
	return out
}

// differs names what two replicas do not agree on.
func (a rows) differs(b rows) string {
	same := func(x, y []chat.Entry) bool {
		return slices.EqualFunc(x, y, func(x, y chat.Entry) bool {
			return x.Seq == y.Seq && x.ClientMessageID == y.ClientMessageID && x.Time == y.Time && x.OrderKey == y.OrderKey &&
				x.Counted == y.Counted && x.Kind == y.Kind && x.Rev == y.Rev && x.Inner == y.Inner && x.Own == y.Own && x.Sender == y.Sender && bytes.Equal(x.Content, y.Content)
		})
	}
	switch {
	case !slices.Equal(a.heads, b.heads):
		return "heads"
	case !slices.EqualFunc(a.logs, b.logs, same):
		return "entries"
	case !slices.EqualFunc(a.users, b.users, func(x, y chat.User) bool { return reflect.DeepEqual(x, y) }):
		return "users"
	case !slices.Equal(a.memberships, b.memberships):
		return "memberships"
	case !slices.Equal(a.effects, b.effects):
		return "effects"
	}
	return ""
}

// checkLogs checks the shape of a shard's logs: no gap, no message twice, the
// running hash as the head has it.
func (r *run) checkLogs(s *shardState, have rows) {
	for i, entries := range have.logs {
		seen := make(map[chat.ClientMessageID]uint64, len(entries))
		for j, e := range entries {
			if e.Seq != uint64(j+1) {
				r.violate("shard %d conversation %d: entry %d where %d should be", s.id, i, e.Seq, j+1)
			}
			if first := seen[e.ClientMessageID]; first != 0 {
				r.violate("shard %d conversation %d: message %x is entry %d and %d", s.id, i, e.ClientMessageID, first, e.Seq)
			}
			seen[e.ClientMessageID] = e.Seq
		}
		if h := have.heads[i]; h.Seq != uint64(len(entries)) || chat.VerifyChain([32]byte{}, s.conversations[i], entries) != h.Hash {
			r.violate("shard %d conversation %d: the head of seq %d does not fit its %d entries", s.id, i, h.Seq, len(entries))
		}
	}
}
