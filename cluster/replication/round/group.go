package round

import (
	"fmt"
	"time"

	"go.etcd.io/raft/v3"
	pb "go.etcd.io/raft/v3/raftpb"

	"github.com/parley-im/parley/internal/broken"
	"github.com/parley-im/parley/proto/logpb"
	"github.com/parley-im/parley/storage"
)

// Bounds of what a group holds back for Raft.
const (
	maxEntriesPerMessage = 1 << 20 // bytes
	maxInflightMessages  = 256
	maxInflightBytes     = 4 << 20
	maxUncommitted       = 8 << 20
)

// group is one shard's replica.
//
// Invariants: stored <= applied.Index <= Raft's commit index, the latter but for
// applyAhead's round; leading is zero unless this replica is Raft's leader of
// that term and has applied an entry of it; pending and reads are empty unless
// leading.
type group struct {
	w     *Worker
	shard storage.ShardID
	id    storage.ReplicaID
	node  *raft.RawNode
	log   *raftLog

	desc     *logpb.Descriptor
	descData []byte // desc, encoded
	applied  storage.Position
	stored   uint64                    // applied index that views show
	handed   uint64                    // newest entry that Raft has handed out to be applied: it will not look at those before
	contacts map[uint64]storage.NodeID // where messages of non-members came from
	fresh    bool                      // not in the store yet
	gone     bool                      // to be destroyed in the next round
	active   bool                      // on the worker's list
	ready    raft.Ready                // of the open round
	stepped  bool                      // ready is set
	install  *install                  // of the open round
	role     raft.StateType            // as last seen
	lead     uint64                    // the leader, as last seen
	term     storage.Term              // as last seen
	leading  storage.Term              // see above
	queue    []Proposal                // not handed to Raft yet
	inFlight int                       // bytes of pending
	ahead    int                       // bytes of what is applied and not handed out: Raft still counts them
	pending  map[uint64]*entry         // by the first number
	waiting  []Read                    // not asked for yet
	reads    map[uint64][]Read         // asked for, by request
	request  uint64                    // counts ReadIndex requests
	allowed  []allowedRead             // confirmed, index not stored yet
	staged   *Staged                   // to be stepped in the next round
	sent     map[uint64]uint64         // replica -> index of the snapshot on its way to it
	departed map[uint64]storage.NodeID // replicas to be told that they are gone
	growth   growth                    // of the log, for truncation
	size     size                      // of the contents

	campaignAt time.Duration
	attempts   int
	handing    int // ticks since the leader began to hand over, from 1; 0: it does not
	ticks      int
	silence    int // ticks without a word from a leader; lead itself stays set in a replica that was removed
}

// install is a snapshot that the open round installs.
type install struct {
	group  *group
	staged *Staged
}

func newGroup(w *Worker, shard storage.ShardID, r storage.Replica) (*group, error) {
	g := &group{
		w: w, shard: shard, id: r.ID, applied: r.Applied.Position, stored: r.Applied.Index, term: r.Term,
		contacts: make(map[uint64]storage.NodeID), pending: make(map[uint64]*entry), reads: make(map[uint64][]Read),
		sent: make(map[uint64]uint64), departed: make(map[uint64]storage.NodeID),
	}
	var err error
	if g.desc, err = decodeDescriptor(r.Applied.Descriptor); err != nil {
		return nil, err
	}
	g.descData = r.Applied.Descriptor
	g.log = &raftLog{
		store: w.o.Store, shard: shard, hard: r.HardState, conf: confState(g.desc), base: r.Base, last: r.Last, snapshot: g.describe,
	}
	return g, g.open()
}

// open makes the RawNode over the log.
func (g *group) open() (err error) {
	g.handed, g.ahead = g.applied.Index, 0
	g.node, err = raft.NewRawNode(&raft.Config{
		ID: uint64(g.id), ElectionTick: electionTicks, HeartbeatTick: heartbeatTicks, Storage: g.log, Applied: g.applied.Index,
		MaxSizePerMsg: maxEntriesPerMessage, MaxInflightMsgs: maxInflightMessages, MaxInflightBytes: maxInflightBytes,
		MaxUncommittedEntriesSize: maxUncommitted, CheckQuorum: !broken.StaleReads, PreVote: true, ReadOnlyOption: raft.ReadOnlySafe,
		DisableProposalForwarding: true, StepDownOnRemoval: true, Logger: newLogger(g.w.o.Log, g.shard),
	})
	return err
}

func (g *group) tick() {
	if g.w.withheld {
		g.tickWithheld()
	} else {
		g.node.Tick()
	}
	g.tickHandOver()
	if g.role == raft.StateLeader {
		g.silence = 0
	} else if g.silence++; g.silence%(4*electionTicks) == 0 {
		g.ask()
	}
	if g.ticks++; g.leading != 0 && len(g.departed) > 0 && g.ticks%electionTicks == 0 {
		g.barrier()
	}
	if g.node.HasReady() {
		g.w.touch(g)
	}
}

// begin is the group's part of Worker.Begin.
func (g *group) begin(r *Round) {
	if g.gone {
		g.lose(r)
		g.refuseAll(r)
		if !g.fresh {
			r.destroys = append(r.destroys, g.shard)
		}
		g.w.drop(g)
		return
	}
	if g.fresh {
		r.batch.Create(g.shard, g.id, storage.Applied{Position: g.applied, Descriptor: g.descData})
		r.batch.SetHardState(g.shard, g.log.hard)
		r.wrote, r.sync, g.fresh = true, true, false
	}
	g.stepStaged()
	g.propose(r)
	g.askReads(r)
	if !g.node.HasReady() {
		g.settleStaged(r)
		return
	}
	g.ready, g.stepped = g.node.Ready(), true
	g.observe(r)
	g.save(r)
	g.applyCommitted(r, g.ready.CommittedEntries)
	g.applyAhead(r, g.ready.Entries)
	g.settleStaged(r)
	for _, s := range g.ready.ReadStates {
		g.allow(s)
	}
	g.truncate(r)
	for _, m := range g.ready.Messages {
		if m.GetType() == pb.MsgApp || g.w.o.Plant == AnswerUnsynced && m.GetType() != pb.MsgSnap {
			g.send(&r.Appends, m)
		}
	}
}

// observe notes what Raft says of the leadership.
func (g *group) observe(r *Round) {
	if g.ready.HardState != nil {
		g.term = storage.Term(g.ready.HardState.GetTerm())
	}
	if s := g.ready.SoftState; s != nil {
		g.role, g.lead = s.RaftState, s.Lead
	}
	if g.lead != raft.None {
		g.campaignStop()
	}
	if g.leading != 0 && (g.role != raft.StateLeader || g.term != g.leading) {
		g.lose(r)
	}
}

// save writes what must be durable before the others hear of it. The commit
// index is not: a start finds it by the applied one or learns it again.
func (g *group) save(r *Round) {
	if len(g.ready.Entries) > 0 {
		entries := make([]storage.LogEntry, len(g.ready.Entries))
		for i, e := range g.ready.Entries {
			entries[i] = fromRaftEntry(e)
		}
		r.batch.Append(g.shard, entries)
		r.wrote, r.sync = true, r.sync || !broken.AckBeforeFsync
	}
	h := g.ready.HardState
	if h == nil && g.install == nil {
		return
	}
	now := g.log.hard
	if h != nil {
		now.Term, now.Vote = storage.Term(h.GetTerm()), storage.ReplicaID(h.GetVote())
	}
	if now != g.log.hard || g.install != nil {
		r.batch.SetHardState(g.shard, now)
		r.wrote, r.sync = true, true
		g.log.hard = now
	}
}

// finish is the group's part of Worker.Finish.
func (g *group) finish(after *After) error {
	if !g.stepped {
		g.release(after)
		return nil
	}
	g.log.append(g.ready.Entries)
	for _, m := range g.ready.Messages {
		switch {
		case m.GetType() == pb.MsgSnap:
			if err := g.freeze(after, m); err != nil {
				return err
			}
		case m.GetType() != pb.MsgApp && g.w.o.Plant != AnswerUnsynced:
			g.send(&after.Messages, m)
		}
	}
	g.stored = g.applied.Index
	g.node.Advance(g.ready)
	g.ready, g.stepped = raft.Ready{}, false
	if commit := g.node.BasicStatus().HardState.GetCommit(); commit < g.stored {
		panic(fmt.Sprintf("round: %v: applied %d, committed %d", g, g.stored, commit))
	}
	g.log.evict(g.handed)
	g.gain(after)
	g.release(after)
	if g.node.HasReady() || len(g.queue) > 0 && g.leading != 0 || len(g.waiting) > 0 {
		g.w.touch(g)
	}
	return nil
}

// send routes a message of Raft's.
func (g *group) send(out *[]Outgoing, m *pb.Message) {
	if to, ok := g.nodeOf(m.GetTo()); ok {
		*out = append(*out, Outgoing{To: to, Message: fromRaft(g.shard, m)})
	}
}

// nodeOf is where a replica is: as the configuration says, or as it was last
// heard from.
func (g *group) nodeOf(replica uint64) (storage.NodeID, bool) {
	for _, m := range g.desc.GetMembers() {
		if m.Replica == replica {
			return storage.NodeID(m.Node), true
		}
	}
	node, ok := g.contacts[replica]
	return node, ok
}

func (g *group) String() string { return fmt.Sprintf("shard %d replica %d", g.shard, g.id) }
