package round

import (
	"fmt"
	"slices"

	"go.etcd.io/raft/v3"
	pb "go.etcd.io/raft/v3/raftpb"
	"go.etcd.io/raft/v3/tracker"
	"google.golang.org/protobuf/proto"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/proto/logpb"
	"github.com/parley-im/parley/proto/peerpb"
	"github.com/parley-im/parley/storage"
)

// Change is one step in the membership of a shard. More than one part makes it
// a joint change, which Raft leaves by itself.
type Change struct {
	Shard storage.ShardID
	// Learners get new replicas that do not vote yet.
	Learners []storage.NodeID
	// Promote makes voters of learners that have caught up (else CodeBusy); Demote
	// makes learners of voters and Remove takes replicas out, but not the leader's
	// own (CodeBusy): Transfer first.
	Promote, Demote, Remove []storage.ReplicaID
	// Done hears of it once the change is applied here; errors as for proposals,
	// and CodeInvalidParam.
	Done func(error)
}

// Change proposes a change to the shard's group.
func (w *Worker) Change(c Change) {
	g := w.groups[c.Shard]
	done := func(_ storage.Outcome, err error) { c.Done(err) }
	if g == nil || g.leading == 0 {
		w.answer(Answer{Done: done, Err: ErrNotLeader})
		return
	}
	if err := g.check(c); err != nil {
		w.answer(Answer{Done: done, Err: err})
		return
	}
	number := w.ownNumber()
	v2 := &pb.ConfChangeV2{}
	change := &logpb.Change{Origin: w.o.Origin, Number: number, Version: g.desc.GetVersion()}
	add := func(t pb.ConfChangeType, id uint64) {
		v2.Changes = append(v2.Changes, &pb.ConfChangeSingle{Type: t.Enum(), NodeId: new(id)})
	}
	for i, node := range c.Learners {
		id := g.desc.GetNextReplica() + uint64(i)
		change.Added = append(change.Added, &logpb.Member{Replica: id, Node: string(node)})
		add(pb.ConfChangeAddLearnerNode, id)
	}
	for _, id := range c.Promote {
		add(pb.ConfChangeAddNode, uint64(id))
	}
	for _, id := range c.Demote {
		add(pb.ConfChangeAddLearnerNode, uint64(id))
	}
	for _, id := range c.Remove {
		add(pb.ConfChangeRemoveNode, uint64(id))
	}
	v2.Context = encode(change)
	data, err := proto.Marshal(v2)
	if err != nil {
		panic(fmt.Sprintf("round: %v", err))
	}
	if !g.proposeOwn(pb.EntryConfChangeV2, data, number, done) {
		w.answer(Answer{Done: done, Err: errBusy})
	}
}

// badChange refuses a change that makes no sense.
func badChange(format string, args ...any) error {
	return chat.Errorf(chat.CodeInvalidParam, "change replicas", format, args...)
}

// check refuses what would panic or make no sense when applied.
func (g *group) check(c Change) error {
	if len(g.desc.GetVotersOutgoing()) > 0 {
		return errBusy
	}
	if len(c.Learners)+len(c.Promote)+len(c.Demote)+len(c.Remove) == 0 {
		return badChange("the change is empty")
	}
	for i, node := range c.Learners {
		if slices.Contains(c.Learners[:i], node) || slices.ContainsFunc(g.desc.GetMembers(), func(m *logpb.Member) bool { return m.Node == string(node) }) {
			return badChange("node %s has a replica of shard %d already", node, g.shard)
		}
	}
	for i, id := range c.Promote {
		if !slices.Contains(g.desc.GetLearners(), uint64(id)) || slices.Contains(c.Promote[:i], id) || slices.Contains(c.Remove, id) {
			return badChange("replica %d of shard %d is no learner that could vote", id, g.shard)
		}
		if !g.caughtUp(uint64(id)) { // it may not even exist: the shard could wait for its vote for ever
			return errBusy
		}
	}
	return g.checkLeaving(c)
}

// checkLeaving looks at those who are to stop voting. The leader is none of
// them: one that steps down by its removal may be needed for a vote that its
// longer log refuses.
func (g *group) checkLeaving(c Change) error {
	voters := len(g.desc.GetVoters()) + len(c.Promote) - len(c.Demote)
	for i, id := range c.Demote {
		if id == g.id {
			return errBusy
		}
		if !slices.Contains(g.desc.GetVoters(), uint64(id)) || slices.Contains(c.Demote[:i], id) || slices.Contains(c.Remove, id) {
			return badChange("replica %d of shard %d is no voter that could be a learner", id, g.shard)
		}
	}
	for i, id := range c.Remove {
		if id == g.id {
			return errBusy
		}
		if !g.isMember(uint64(id)) || slices.Contains(c.Remove[:i], id) {
			return badChange("shard %d has no replica %d", g.shard, id)
		}
		if slices.Contains(g.desc.GetVoters(), uint64(id)) {
			voters--
		}
	}
	if voters < 1 {
		return badChange("shard %d would have no voter left", g.shard)
	}
	return nil
}

func (g *group) isMember(replica uint64) bool {
	return slices.ContainsFunc(g.desc.GetMembers(), func(m *logpb.Member) bool { return m.Replica == replica })
}

// applyChange runs a committed change. One that was meant for another version
// of the descriptor is skipped, on all replicas alike.
func (g *group) applyChange(r *Round, data []byte) {
	var v2 pb.ConfChangeV2
	var change logpb.Change
	if err := proto.Unmarshal(data, &v2); err != nil {
		panic(fmt.Sprintf("round: %v: change does not decode: %v", g, err))
	}
	if err := change.UnmarshalVT(v2.Context); err != nil {
		panic(fmt.Sprintf("round: %v: change does not decode: %v", g, err))
	}
	own := len(v2.Changes) > 0 && change.Origin == g.w.o.Origin
	if len(v2.Changes) > 0 && change.Version != g.desc.GetVersion() {
		if own {
			g.settle(r, change.Number, storage.Outcome{}, errBusy)
		}
		return
	}
	cs := g.node.ApplyConfChange(&v2)
	g.describeChange(cs, change.Added)
	g.askAgain()
	if own {
		g.settle(r, change.Number, storage.Outcome{}, nil)
	}
}

// describeChange makes the descriptor that follows from a change, and notes who
// is no longer in it.
func (g *group) describeChange(cs *pb.ConfState, added []*logpb.Member) {
	d := &logpb.Descriptor{
		Version: g.desc.GetVersion() + 1, NextReplica: g.desc.GetNextReplica(),
		Voters: cs.Voters, Learners: cs.Learners, VotersOutgoing: cs.VotersOutgoing, LearnersNext: cs.LearnersNext, AutoLeave: cs.GetAutoLeave(),
	}
	for _, m := range slices.Concat(g.desc.GetMembers(), added) {
		d.NextReplica = max(d.NextReplica, m.Replica+1)
		in := slices.Contains(d.Voters, m.Replica) || slices.Contains(d.Learners, m.Replica) ||
			slices.Contains(d.VotersOutgoing, m.Replica) || slices.Contains(d.LearnersNext, m.Replica)
		if in {
			d.Members = append(d.Members, m)
		} else if g.role == raft.StateLeader && m.Replica != uint64(g.id) {
			g.departed[m.Replica] = storage.NodeID(m.Node)
		}
	}
	g.desc, g.descData = d, encode(d)
}

// tellIfRemoved looks whether a message comes from a replica that was removed: its
// leader tells it so.
func (g *group) tellIfRemoved(node storage.NodeID, replica uint64) {
	if g.leading != 0 && replica < g.desc.GetNextReplica() && !g.isMember(replica) {
		if _, known := g.departed[replica]; !known {
			g.departed[replica] = node
			g.barrier()
		}
	}
}

// barrier tells the departed replicas to go once it is sure that the others can
// do without them: a majority must know that the configuration which held them
// has been left. An empty proposal that is made after this replica has applied
// the leaving carries the commit index with it; who departs after the proposal
// was made waits for another one.
func (g *group) barrier() {
	number := g.w.ownNumber()
	data := encode(&logpb.Proposal{Origin: g.w.o.Origin, Number: number})
	going := sortedKeys(g.departed)
	g.proposeOwn(pb.EntryNormal, data, number, func(_ storage.Outcome, err error) {
		if err != nil || g.leading == 0 {
			return
		}
		for _, replica := range going {
			if node, ok := g.departed[replica]; ok {
				m := &peerpb.Message{Shard: uint32(g.shard), Kind: peerpb.Kind_KIND_DESTROY, To: replica, From: uint64(g.id)}
				g.w.controlMessages = append(g.w.controlMessages, Outgoing{To: node, Message: m})
				delete(g.departed, replica) // those who miss it ask
			}
		}
	})
}

// ask asks the others whether this replica still belongs to them.
func (g *group) ask() {
	for _, m := range g.desc.GetMembers() {
		if m.Replica != uint64(g.id) {
			q := &peerpb.Message{Shard: uint32(g.shard), Kind: peerpb.Kind_KIND_ASK, To: m.Replica, From: uint64(g.id)}
			g.w.controlMessages = append(g.w.controlMessages, Outgoing{To: storage.NodeID(m.Node), Message: q})
		}
	}
}

// answerAsk answers such a question, or passes it on to the leader, which the
// asking replica may not know. Context then names its node.
func (g *group) answerAsk(from storage.NodeID, m *peerpb.Message) {
	switch {
	case g.leading != 0 && len(m.Context) > 0:
		g.tellIfRemoved(storage.NodeID(m.Context), m.From)
	case g.leading != 0:
		g.tellIfRemoved(from, m.From)
	case len(m.Context) == 0 && g.lead != raft.None && !g.isMember(m.From):
		if leader, ok := g.nodeOf(g.lead); ok {
			q := &peerpb.Message{Shard: m.Shard, Kind: m.Kind, To: g.lead, From: m.From, Context: []byte(from)}
			g.w.controlMessages = append(g.w.controlMessages, Outgoing{To: leader, Message: q})
		}
	}
}

// destroy ends the replica in the next round.
func (g *group) destroy() {
	switch g.life {
	case kept:
		g.life = ending
	case unsaved:
		g.life = endingUnsaved
	}
	g.w.touch(g)
}

// Descriptor is a shard's configuration as applied here, nil when this node has
// no replica of it. It must not be changed.
func (w *Worker) Descriptor(shard storage.ShardID) *logpb.Descriptor {
	if g := w.groups[shard]; g != nil {
		return g.desc
	}
	return nil
}

// CaughtUp says whether this node leads the shard and the replica has all but
// the newest few entries.
func (w *Worker) CaughtUp(shard storage.ShardID, replica storage.ReplicaID) bool {
	g := w.groups[shard]
	return g != nil && g.leading != 0 && g.caughtUp(uint64(replica))
}

func (g *group) caughtUp(replica uint64) (caughtUp bool) {
	g.node.WithProgress(func(id uint64, _ raft.ProgressType, pr tracker.Progress) {
		if id == replica {
			caughtUp = g.hasCaughtUp(pr)
		}
	})
	return caughtUp
}

func (g *group) hasCaughtUp(pr tracker.Progress) bool {
	return pr.Match > 0 && pr.Match+caughtUpEntries >= g.applied.Index
}

// caughtUpEntries is how many entries a learner may lack to become a voter.
const caughtUpEntries = 64

// Bootstrap makes a replica of a shard that begins with the given nodes as
// voters; all of them must say the same. It does nothing when there ever was
// one. The first voter gets replica ID 1, and so on.
func (w *Worker) Bootstrap(shard storage.ShardID, voters []storage.NodeID) error {
	at := slices.Index(voters, w.node)
	r, err := w.o.Store.Replica(shard)
	if err != nil || at < 0 || r.ID != 0 || w.groups[shard] != nil {
		return err
	}
	d := &logpb.Descriptor{Version: 1, NextReplica: uint64(len(voters) + 1)}
	for i, node := range voters {
		d.Members = append(d.Members, &logpb.Member{Replica: uint64(i + 1), Node: string(node)})
		d.Voters = append(d.Voters, uint64(i+1))
	}
	first := storage.Position{Index: 1, Term: 1}
	r = storage.Replica{
		ID: storage.ReplicaID(at + 1), HardState: storage.HardState{Term: 1, Commit: 1},
		Applied: storage.Applied{Position: first, Descriptor: encode(d)}, Base: first, Last: 1,
	}
	g, err := w.load(shard, r)
	if err != nil {
		return err
	}
	g.life = unsaved
	return nil
}
