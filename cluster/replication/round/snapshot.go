package round

import (
	"fmt"

	"go.etcd.io/raft/v3"
	pb "go.etcd.io/raft/v3/raftpb"

	"github.com/parley-im/parley/proto/peerpb"
	"github.com/parley-im/parley/storage"
)

// Bounds of the snapshots that a worker has pinned at a time: a large one is
// sent when fewer than maxSending others are, a small one beside many, as it
// takes a few syncs and next to no bandwidth.
const (
	maxSending      = 2
	maxSendingSmall = 32
)

// smallShard is up to how many bytes a shard is small. What counts is that a
// hundred of them are moved in a second.
const smallShard = 256 << 10

// size is how large a shard's contents are, at most: what the store had on disk,
// measured once, and all that was applied since.
type size struct {
	measured bool
	disk     uint64
	applied  uint64
}

// small says whether the shard's contents are moved in next to no time.
func (g *group) small() bool {
	if !g.size.measured {
		disk, err := g.w.o.Store.Size(g.shard)
		if err != nil {
			return false // a disk that fails shows at the next commit or read
		}
		g.size.measured, g.size.disk = true, disk
	}
	return g.size.disk+g.size.applied <= smallShard
}

// Snapshot is a shard's contents to be sent to a replica: Head first, then what
// Frozen gives. The caller closes Frozen and calls SnapshotSent, whatever
// happened.
type Snapshot struct {
	To     storage.NodeID
	Head   *peerpb.Message
	Frozen storage.Frozen
}

// Staged is a snapshot that arrived and is sealed.
type Staged struct {
	From    storage.NodeID
	Head    *peerpb.Message
	Applied storage.Applied // as Seal gave it
	Staging storage.Staging
	// Done is called once: nil when the replica has what the snapshot holds. The
	// staging is used up or discarded then.
	Done func(error)
}

// maySend says whether another snapshot may be pinned.
func (g *group) maySend() bool {
	if g.small() {
		return g.w.sending < maxSendingSmall
	}
	return g.w.sending < maxSending
}

// describe is what Raft sends for a snapshot. What travels is frozen a moment
// later, at this index or a later one.
func (g *group) describe() (*pb.Snapshot, error) {
	if !g.maySend() || g.stored != g.applied.Index {
		return nil, raft.ErrSnapshotTemporarilyUnavailable
	}
	return &pb.Snapshot{Metadata: &pb.SnapshotMetadata{
		Index: new(g.applied.Index), Term: new(uint64(g.applied.Term)), ConfState: confState(g.desc),
	}}, nil
}

// freeze pins the contents for a snapshot that Raft wants to send. Until it is
// reported, the log after its index stays.
func (g *group) freeze(after *After, m *pb.Message) error {
	to, ok := g.nodeOf(m.GetTo())
	if !ok || !g.maySend() { // there was room for one when Raft asked, and several groups have
		g.node.ReportSnapshot(m.GetTo(), raft.SnapshotFailure)
		return nil
	}
	f, err := g.w.o.Store.Freeze(g.shard)
	if err != nil {
		return fmt.Errorf("freeze shard %d: %w", g.shard, err)
	}
	a := f.Applied()
	head := fromRaft(g.shard, m)
	head.Snapshot = &peerpb.Snapshot{Index: a.Index, Term: uint64(a.Term), Descriptor_: a.Descriptor}
	g.sent[m.GetTo()] = a.Index
	g.w.sending++
	after.Snapshots = append(after.Snapshots, Snapshot{To: to, Head: head, Frozen: f})
	return nil
}

// SnapshotSent reports how the sending of a snapshot ended.
func (w *Worker) SnapshotSent(head *peerpb.Message, ok bool) {
	w.sending--
	g := w.groups[storage.ShardID(head.Shard)]
	if g == nil {
		return
	}
	delete(g.sent, head.To)
	status := raft.SnapshotFinish
	if !ok {
		status = raft.SnapshotFailure
	}
	g.node.ReportSnapshot(head.To, status)
	g.w.touch(g)
}

// Staged takes a snapshot for the next round.
func (w *Worker) Staged(s Staged) {
	shard, to := storage.ShardID(s.Head.Shard), storage.ReplicaID(s.Head.To)
	g := w.groups[shard]
	if g == nil {
		g = w.meet(shard, to, s.Head)
	}
	if g == nil || g.id != to || g.life.ends() || g.staged != nil {
		s.done(errBusy)
		return
	}
	g.contacts[s.Head.From] = s.From
	g.staged = &s
	w.touch(g)
}

// done discards what was not installed and tells how it ended.
func (s *Staged) done(err error) {
	_ = s.Staging.Discard()
	s.Done(err)
}

// stepStaged gives Raft the snapshot.
func (g *group) stepStaged() {
	if g.staged == nil {
		return
	}
	m, err := toRaft(g.staged.Head)
	if err != nil || g.staged.Applied.Index != m.GetSnapshot().GetMetadata().GetIndex() {
		return // settled as refused
	}
	_ = g.node.Step(m)
	if g.node.HasReady() {
		g.open.install = &install{group: g, staged: g.staged}
	}
}

// settleStaged sorts out what Raft made of the snapshot: it is installed in
// this round, or was not needed, or did not fit.
func (g *group) settleStaged(r *Round) {
	if g.staged == nil {
		return
	}
	s := g.staged
	g.staged, g.open.install = nil, nil
	if g.open.stepped && !raft.IsEmptySnap(g.open.ready.Snapshot) {
		r.installs = append(r.installs, install{group: g, staged: s})
		r.sync = true
		return
	}
	if s.Applied.Index <= g.applied.Index {
		s.done(nil)
		return
	}
	s.done(errBusy)
}

// installed takes over what the store has now. Its results of earlier rounds
// are gone with the rows, its readers hear of it from their views.
func (g *group) installed(s *Staged) error {
	a := s.Applied
	d, err := decodeDescriptor(a.Descriptor)
	if err != nil {
		return fmt.Errorf("installed shard %d: %w", g.shard, err)
	}
	g.desc, g.descData, g.applied = d, a.Descriptor, a.Position
	g.emitted, g.ahead = a.Index, 0
	g.log.reset(a.Position)
	g.growth, g.size = growth{}, size{}
	s.Done(nil)
	return nil
}
