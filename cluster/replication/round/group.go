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
	life  life

	desc     *logpb.Descriptor
	descData []byte                    // desc, encoded
	contacts map[uint64]storage.NodeID // where messages of non-members came from
	departed map[uint64]storage.NodeID // replicas to be told that they are gone

	progress
	leadership
	proposing
	reading
	snapshots
	open   openRound
	active bool   // on the worker's list of the next round
	growth growth // of the log, for truncation
	erasing
	size size // of the contents
}

// life is how a replica stands to the store.
type life uint8

const (
	kept          life = iota // its contents are there
	unsaved                   // not yet: the next round writes them
	ending                    // the next round destroys them
	endingUnsaved             // the next round drops the replica; nothing is there
)

func (l life) ends() bool { return l >= ending }

// progress is how far the replica has come.
type progress struct {
	applied storage.Position
	stored  uint64 // applied index that views show
	emitted uint64 // highest index that Ready.CommittedEntries has held: Raft reads no entry up to it again
}

// leadership is who leads, as Raft said last, and the changes of it under way.
type leadership struct {
	role    raft.StateType
	lead    uint64 // it stays set in a replica that was removed
	term    storage.Term
	leading storage.Term // see group

	campaignAt time.Duration // 0: none is planned
	attempts   int
	handing    int // ticks since the leader began to hand over, from 1; 0: it does not
	ticks      int
	silence    int // ticks without a word from a leader
}

// proposing are proposals on their way.
type proposing struct {
	queue    []Proposal        // not handed to Raft yet
	pending  map[uint64]*entry // proposed and not applied, by the first number
	inFlight int               // bytes of pending
	ahead    int               // bytes that applyAhead has run and CommittedEntries has not held: Raft still counts them
}

// reading are reads on their way.
type reading struct {
	waiting []Read            // not asked for yet
	reads   map[uint64][]Read // asked for, by request
	request uint64            // counts ReadIndex requests
	allowed []allowedRead     // confirmed, index not stored yet
}

// snapshots are those on their way.
type snapshots struct {
	staged *Staged           // arrived, to be stepped in the next round
	sent   map[uint64]uint64 // replica -> index of the one on its way to it
}

// openRound is the group's part of the worker's open round.
type openRound struct {
	ready   raft.Ready
	stepped bool // ready is set
	install *install
}

// install is a snapshot that the open round installs.
type install struct {
	group  *group
	staged *Staged
}

func newGroup(w *Worker, shard storage.ShardID, r storage.Replica) (*group, error) {
	g := &group{
		w: w, shard: shard, id: r.ID, contacts: make(map[uint64]storage.NodeID), departed: make(map[uint64]storage.NodeID),
		progress:   progress{applied: r.Applied.Position, stored: r.Applied.Index},
		leadership: leadership{term: r.Term},
		proposing:  proposing{pending: make(map[uint64]*entry)},
		reading:    reading{reads: make(map[uint64][]Read)},
		snapshots:  snapshots{sent: make(map[uint64]uint64)},
	}
	var err error
	if g.desc, err = decodeDescriptor(r.Applied.Descriptor); err != nil {
		return nil, err
	}
	g.descData = r.Applied.Descriptor
	g.log = &raftLog{
		store: w.o.Store, shard: shard, hard: r.HardState, conf: confState(g.desc), base: r.Base, last: r.Last, snapshot: g.describe,
	}
	g.recall(r.Applied.Index, 0) // the log may hold one: nobody has looked
	return g, g.openRaft()
}

// openRaft makes the RawNode over the log.
func (g *group) openRaft() (err error) {
	g.emitted, g.ahead = g.applied.Index, 0
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
	g.tickTransfer()
	if g.role == raft.StateLeader {
		g.silence = 0
	} else if g.silence++; g.silence%(4*electionTicks) == 0 {
		g.ask()
	}
	if g.ticks++; g.leading != 0 && len(g.departed) > 0 && g.ticks%electionTicks == 0 {
		g.barrier()
	}
	if g.node.HasReady() || g.erasable() > 0 {
		g.w.touch(g)
	}
}

// begin is the group's part of Worker.Begin.
func (g *group) begin(r *Round) {
	if g.life.ends() {
		g.lose(r)
		g.refuseAll(r)
		if g.life == ending {
			r.destroys = append(r.destroys, g.shard)
		}
		g.w.drop(g)
		return
	}
	if g.life == unsaved {
		r.batch.Create(g.shard, g.id, storage.Applied{Position: g.applied, Descriptor: g.descData})
		r.batch.SetHardState(g.shard, g.log.hard)
		r.wrote, r.sync, g.life = true, true, kept
	}
	g.stepStaged()
	g.propose(r)
	g.askReads(r)
	if !g.node.HasReady() {
		g.settleStaged(r)
		g.truncate(r)
		return
	}
	g.open.ready, g.open.stepped = g.node.Ready(), true
	g.observe(r)
	g.save(r)
	g.applyCommitted(r, g.open.ready.CommittedEntries)
	g.applyAhead(r, g.open.ready.Entries)
	g.settleStaged(r)
	for _, s := range g.open.ready.ReadStates {
		g.allow(s)
	}
	g.truncate(r)
	for _, m := range g.open.ready.Messages {
		if m.GetType() == pb.MsgApp || g.w.o.Plant == AnswerUnsynced && m.GetType() != pb.MsgSnap {
			g.send(&r.Appends, m)
		}
	}
}

// observe notes what Raft says of the leadership.
func (g *group) observe(r *Round) {
	if g.open.ready.HardState != nil {
		g.term = storage.Term(g.open.ready.HardState.GetTerm())
	}
	if s := g.open.ready.SoftState; s != nil {
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
	if len(g.open.ready.Entries) > 0 {
		entries := make([]storage.LogEntry, len(g.open.ready.Entries))
		for i, e := range g.open.ready.Entries {
			entries[i] = fromRaftEntry(e)
		}
		r.batch.Append(g.shard, entries)
		r.wrote, r.sync = true, r.sync || !broken.AckBeforeFsync
	}
	h := g.open.ready.HardState
	if h == nil && g.open.install == nil {
		return
	}
	now := g.log.hard
	if h != nil {
		now.Term, now.Vote = storage.Term(h.GetTerm()), storage.ReplicaID(h.GetVote())
	}
	if now != g.log.hard || g.open.install != nil {
		r.batch.SetHardState(g.shard, now)
		r.wrote, r.sync = true, true
		g.log.hard = now
	}
}

// finish is the group's part of Worker.Finish.
func (g *group) finish(after *After) error {
	if !g.open.stepped {
		g.release(after)
		return nil
	}
	g.log.append(g.open.ready.Entries)
	for _, m := range g.open.ready.Messages {
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
	g.node.Advance(g.open.ready)
	g.open = openRound{}
	if commit := g.node.BasicStatus().HardState.GetCommit(); commit < g.stored {
		panic(fmt.Sprintf("round: %v: applied %d, committed %d", g, g.stored, commit))
	}
	g.log.evict(g.emitted)
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
// tellIfRemoved from.
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
