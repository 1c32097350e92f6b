package round

import (
	"fmt"

	pb "go.etcd.io/raft/v3/raftpb"

	"github.com/parley-im/parley/internal/broken"
	"github.com/parley-im/parley/proto/peerpb"
	"github.com/parley-im/parley/storage"
)

// Step takes a message from a replica on another node. Messages may be lost,
// doubled or late; those that make no sense here are dropped.
func (w *Worker) Step(from storage.NodeID, m *peerpb.Message) {
	delete(w.cut, from)
	shard, to := storage.ShardID(m.Shard), storage.ReplicaID(m.To)
	g := w.groups[shard]
	if g != nil && g.id < to && m.Kind == peerpb.Kind_KIND_RAFT && fromLeader(m) {
		g.destroy() // this node is a member again, so the old replica has been removed
		return
	}
	if g == nil {
		if g = w.meet(shard, to, m); g == nil {
			return
		}
	}
	if m.Kind == peerpb.Kind_KIND_ASK { // meant for whoever leads, which may be another replica than the asking one knows
		g.answerAsk(from, m)
		return
	}
	if g.id != to || g.life.ends() {
		return
	}
	switch m.Kind {
	case peerpb.Kind_KIND_RAFT:
		g.step(from, m)
	case peerpb.Kind_KIND_DESTROY:
		g.destroy()
	case peerpb.Kind_KIND_COMMITTED:
		g.takeCommitted(storage.Position{Index: m.Index, Term: storage.Term(m.LogTerm)})
	}
}

// meet makes an empty replica when a leader writes to one that this node has
// never had. It gets everything by a snapshot.
func (w *Worker) meet(shard storage.ShardID, id storage.ReplicaID, m *peerpb.Message) *group {
	if m.Kind != peerpb.Kind_KIND_RAFT || !fromLeader(m) {
		return nil
	}
	r, err := w.o.Store.Replica(shard)
	if err != nil || r.ID >= id {
		return nil
	}
	g, err := w.load(shard, storage.Replica{ID: id})
	if err != nil {
		return nil
	}
	g.life = unsaved
	return g
}

func fromLeader(m *peerpb.Message) bool {
	switch pb.MessageType(m.Type) {
	case pb.MsgApp, pb.MsgHeartbeat, pb.MsgSnap:
		return true
	}
	return false
}

// ofLeadership says whether a message holds in its leader's term only.
func ofLeadership(t pb.MessageType) bool {
	switch t {
	case pb.MsgApp, pb.MsgAppResp, pb.MsgHeartbeat, pb.MsgHeartbeatResp:
		return true
	}
	return false
}

// forwarded says whether a message is a call that a follower passed to its
// leader. No release sends them, and From is not their sender.
func forwarded(m *peerpb.Message) bool {
	switch pb.MessageType(m.Type) {
	case pb.MsgProp, pb.MsgReadIndex, pb.MsgTransferLeader:
		return true
	}
	return false
}

func (g *group) step(from storage.NodeID, m *peerpb.Message) {
	if forwarded(m) {
		return
	}
	g.contacts[m.From] = from
	g.tellIfRemoved(from, m.From)
	rm, err := toRaft(m)
	if err != nil {
		return
	}
	if broken.NoTermFence && ofLeadership(rm.GetType()) {
		rm.Term = new(uint64(g.term))
	}
	if isVoteRequest(rm.GetType()) {
		g.rival(rm)
		g.tellCommitted(m)
	} else if fromLeader(m) && storage.Term(m.Term) >= g.term {
		g.silence = 0
	}
	if g.w.withholds(rm.GetType()) {
		return
	}
	if g.staged != nil || rm.GetType() == pb.MsgSnap { // a snapshot comes by Staged, and alone in its round
		return
	}
	if g.forgot(rm) {
		g.w.fatal = fmt.Errorf("%w (%v: its leader counts on entry %d, its log ends at %d)", storage.ErrOutdated, g, rm.GetCommit(), g.log.last)
		g.w.touch(g)
		return
	}
	_ = g.node.Step(rm)
	g.w.touch(g)
}

// forgot says whether the leader counts on an entry that this replica has once
// acknowledged and no longer has. A heartbeat tells of no entry above those.
func (g *group) forgot(m *pb.Message) bool {
	return m.GetType() == pb.MsgHeartbeat && storage.Term(m.GetTerm()) >= g.term && m.GetCommit() > g.log.last
}

// Unreachable says that a message for a node was dropped: Raft probes until it
// hears from the replica again.
func (w *Worker) Unreachable(to Outgoing) {
	if g := w.groups[storage.ShardID(to.Message.Shard)]; g != nil && to.Message.Kind == peerpb.Kind_KIND_RAFT {
		g.node.ReportUnreachable(to.Message.To)
	}
}
