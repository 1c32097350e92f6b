package round_test

import (
	"errors"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/cluster/replication/round"
	"github.com/parley-im/parley/proto/logpb"
	"github.com/parley-im/parley/storage"
	"github.com/parley-im/parley/storage/memory"
)

const shards = 3

// world is a few nodes on a network that delivers everything at once.
type world struct {
	*testing.T
	now    time.Duration
	names  []storage.NodeID
	nodes  map[storage.NodeID]*node
	cut    map[storage.NodeID]bool
	number uint64
}

type node struct {
	store   *memory.Store
	core    *round.Worker
	leading map[storage.ShardID]storage.Term
}

func newWorld(t *testing.T, names ...storage.NodeID) *world {
	w := &world{T: t, nodes: make(map[storage.NodeID]*node), cut: make(map[storage.NodeID]bool)}
	for _, name := range names {
		w.start(name, memory.New(shards, name), names)
	}
	return w
}

// start boots a node over a disk.
func (w *world) start(name storage.NodeID, s *memory.Store, voters []storage.NodeID) *node {
	w.Helper()
	core, err := round.New(round.Options{Store: s, Origin: uint64(len(w.names) + 1)}, []storage.ShardID{1, 2, 3})
	if err != nil {
		w.Fatal(err)
	}
	for s := storage.ShardID(1); s <= shards; s++ {
		if err := core.Bootstrap(s, voters); err != nil {
			w.Fatal(err)
		}
	}
	n := &node{store: s, core: core, leading: make(map[storage.ShardID]storage.Term)}
	if w.nodes[name] == nil {
		w.names = append(w.names, name)
	}
	w.nodes[name] = n
	return n
}

// run lets an amount of time pass.
func (w *world) run(d time.Duration) {
	w.Helper()
	for end := w.now + d; w.now < end; w.now += 10 * time.Millisecond {
		for _, name := range w.names {
			if w.now%round.TickInterval == 0 {
				w.nodes[name].core.Tick()
			}
			w.rounds(name)
		}
	}
}

// rounds runs a node until it has nothing to do.
func (w *world) rounds(name storage.NodeID) {
	w.Helper()
	n := w.nodes[name]
	for {
		if at, ok := n.core.Deadline(); !n.core.Busy() && (!ok || at > w.now) {
			return
		}
		r := n.core.Begin(w.now)
		for _, l := range r.Lost {
			delete(n.leading, l.Shard)
		}
		w.deliver(name, r.Appends)
		for _, a := range r.Answers {
			a.Done(a.Outcome, a.Err)
		}
		if err := r.Commit(); err != nil {
			w.Fatal(err)
		}
		after, err := n.core.Finish()
		if err != nil {
			w.Fatal(err)
		}
		for _, l := range after.Gained {
			n.leading[l.Shard] = l.Term
		}
		w.deliver(name, after.Messages)
		for _, a := range after.Answers {
			a.Done(a.Outcome, a.Err)
		}
		for _, rd := range after.Reads {
			rd.Serve()
		}
		for _, s := range after.Snapshots {
			w.carry(name, s)
		}
	}
}

func (w *world) deliver(from storage.NodeID, all []round.Outgoing) {
	for _, o := range all {
		if to := w.nodes[o.To]; to != nil && !w.cut[from] && !w.cut[o.To] {
			to.core.Step(from, o.Message)
		}
	}
}

// carry brings a snapshot to its place.
func (w *world) carry(from storage.NodeID, s round.Snapshot) {
	w.Helper()
	core := w.nodes[from].core
	to := w.nodes[s.To]
	if to == nil || w.cut[from] || w.cut[s.To] {
		core.SnapshotSent(s.Head, false)
		return
	}
	g, err := to.store.Stage(storage.ShardID(s.Head.Shard))
	if err != nil {
		w.Fatal(err)
	}
	for {
		chunk, err := s.Frozen.Next(100)
		if errors.Is(err, io.EOF) {
			break
		}
		if err := errors.Join(err, g.Write(chunk)); err != nil {
			w.Fatal(err)
		}
	}
	a, err := g.Seal()
	if err != nil {
		w.Fatal(err)
	}
	to.core.Staged(round.Staged{From: from, Head: s.Head, Applied: a, Staging: g, Done: func(err error) { core.SnapshotSent(s.Head, err == nil) }})
}

// leader is who leads a shard; it must be one.
func (w *world) leader(s storage.ShardID) (storage.NodeID, *node) {
	w.Helper()
	for _, name := range w.names {
		if n := w.nodes[name]; n.leading[s] != 0 && !w.cut[name] {
			return name, n
		}
	}
	w.Fatalf("nobody leads shard %d", s)
	return "", nil
}

func user(i int) chat.UserKey { return chat.UserKey{App: 1, ID: fmt.Sprintf("user%d", i)} }

// propose gives a user a name in a shard, through its leader.
func (w *world) propose(s storage.ShardID, i int, name string) *error {
	w.Helper()
	_, n := w.leader(s)
	return w.proposeAt(n, s, n.leading[s], i, name)
}

func (w *world) proposeAt(n *node, s storage.ShardID, term storage.Term, i int, name string) *error {
	w.Helper()
	w.number++
	login := chat.Login{User: user(i), Name: name}
	p := logpb.Proposal{
		Version: chat.Version, TimeMs: int64(w.number), Commands: []*logpb.Command{logpb.FromCommand(login)},
		Origin: n.core.Origin(), Number: w.number,
	}
	data, err := p.MarshalVT()
	if err != nil {
		w.Fatal(err)
	}
	answer := errors.New("no answer")
	mine := round.Proposal{Shard: s, Term: term, Number: w.number, Data: data, Version: chat.Version, Done: func(_ storage.Outcome, err error) { answer = err }}
	if i%3 > 0 { // else it is decoded
		mine.Time, mine.Commands = p.TimeMs, []chat.CommandBody{login}
	}
	n.core.Propose(mine)
	return &answer
}

// name reads a user's name on a node, without asking a leader.
func (w *world) name(n *node, s storage.ShardID, i int) string {
	w.Helper()
	v, err := n.store.View(s)
	if err != nil {
		w.Fatal(err)
	}
	u, _, err := v.User(user(i))
	if err := errors.Join(err, v.Close()); err != nil {
		w.Fatal(err)
	}
	return u.Name
}

func TestASoleVoterLeadsAndServes(t *testing.T) {
	w := newWorld(t, "n1")
	w.run(20 * time.Millisecond)
	answer := w.propose(2, 1, "Ann")
	w.run(20 * time.Millisecond)
	if *answer != nil {
		t.Fatal(*answer)
	}
	if got := w.name(w.nodes["n1"], 2, 1); got != "Ann" {
		t.Errorf("the name is %q", got)
	}
}

// TestAQueueLargerThanWhatMayBeInFlightIsWorkedOff also truncates the log in
// each round, while Raft still holds the entries that it gave out.
func TestAQueueLargerThanWhatMayBeInFlightIsWorkedOff(t *testing.T) {
	w := newWorld(t, "n1")
	w.run(20 * time.Millisecond)
	var answers []*error
	for i := range 33 {
		answers = append(answers, w.propose(2, i, string(make([]byte, 1<<20))))
	}
	w.run(20 * time.Millisecond)
	for i, a := range answers {
		if *a != nil {
			t.Errorf("proposal %d: %v", i, *a)
		}
	}
}

func TestThreeNodesAgree(t *testing.T) {
	w := newWorld(t, "n1", "n2", "n3")
	w.run(2 * time.Second)
	var answers []*error
	for i := range 30 {
		answers = append(answers, w.propose(storage.ShardID(i%shards+1), i, fmt.Sprintf("Name %d", i)))
	}
	w.run(200 * time.Millisecond)
	for i, a := range answers {
		if *a != nil {
			t.Errorf("proposal %d: %v", i, *a)
		}
		for _, name := range w.names {
			if got := w.name(w.nodes[name], storage.ShardID(i%shards+1), i); got != fmt.Sprintf("Name %d", i) {
				t.Errorf("%s has %q for user %d", name, got, i)
			}
		}
	}
}

func TestProposalsOfARoundShareAnEntry(t *testing.T) {
	w := newWorld(t, "n1", "n2", "n3")
	w.run(2 * time.Second)
	_, n := w.leader(1)
	last := func() uint64 {
		r, err := n.store.Replica(1)
		if err != nil {
			t.Fatal(err)
		}
		return r.Last
	}
	before := last()
	var answers []*error
	for i := range 9 {
		answers = append(answers, w.propose(1, i, fmt.Sprintf("Name %d", i)))
	}
	large := w.propose(1, 9, string(make([]byte, 64<<10)))
	w.run(200 * time.Millisecond)
	for i, a := range append(answers, large) {
		if *a != nil {
			t.Errorf("proposal %d: %v", i, *a)
		}
	}
	if got := last() - before; got != 2 {
		t.Errorf("the log has %d entries more, want 2: nine proposals share one, a large one has its own", got)
	}
}

func TestAnotherLeadsSoonAfterTheLeaderIsGone(t *testing.T) {
	w := newWorld(t, "n1", "n2", "n3")
	w.run(2 * time.Second)
	for s := storage.ShardID(1); s <= shards; s++ {
		old, n := w.leader(s)
		term := n.leading[s]
		w.cut[old] = true
		for _, name := range w.names {
			w.nodes[name].core.LinkDown(old)
		}
		w.run(60 * time.Millisecond)
		next, m := w.leader(s)
		if next == old || m.leading[s] <= term {
			t.Errorf("shard %d: %s leads in term %d after %s in term %d", s, next, m.leading[s], old, term)
		}
		w.run(time.Second)
		if w.nodes[old].leading[s] != 0 {
			t.Errorf("shard %d: %s still thinks that it leads", s, old)
		}
		w.cut[old] = false
		w.run(2 * time.Second)
	}
}

func TestAReplicaMovesToAnotherNode(t *testing.T) {
	w := newWorld(t, "n1", "n2", "n3")
	w.run(2 * time.Second)
	w.propose(1, 1, "Ann")
	w.run(100 * time.Millisecond)
	w.start("n4", memory.New(shards, "n4"), []storage.NodeID{"n1", "n2", "n3"})
	_, n := w.leader(1)
	change := func(c round.Change) {
		t.Helper()
		answer := errors.New("no answer")
		c.Shard, c.Done = 1, func(err error) { answer = err }
		n.core.Change(c)
		w.run(300 * time.Millisecond)
		if answer != nil {
			t.Fatal(answer)
		}
	}
	change(round.Change{Learners: []storage.NodeID{"n4"}})
	w.run(time.Second)
	if !n.core.CaughtUp(1, 4) {
		t.Fatal("the learner has not caught up")
	}
	d := n.core.Descriptor(1)
	var away storage.ReplicaID
	var from storage.NodeID
	for _, m := range d.Members {
		if storage.NodeID(m.Node) != w.leaderName(1) && m.Replica < 4 {
			away, from = storage.ReplicaID(m.Replica), storage.NodeID(m.Node)
		}
	}
	change(round.Change{Promote: []storage.ReplicaID{4}, Remove: []storage.ReplicaID{away}})
	w.run(2 * time.Second)
	if got := w.name(w.nodes["n4"], 1, 1); got != "Ann" {
		t.Errorf("the new replica has %q", got)
	}
	if d := n.core.Descriptor(1); len(d.Voters) != 3 || len(d.Members) != 3 || len(d.VotersOutgoing) != 0 || d.NextReplica != 5 {
		t.Errorf("the descriptor is %+v", d)
	}
	if r, _ := w.nodes[from].store.Replica(1); !r.Removed || r.ID != away {
		t.Errorf("the old replica is %+v, want a tombstone", r)
	}
	if got := w.name(w.nodes[from], 1, 1); got != "" {
		t.Errorf("the removed replica still has %q", got)
	}
	answer := w.propose(1, 1, "Anna")
	w.run(200 * time.Millisecond)
	if *answer != nil || w.name(w.nodes["n4"], 1, 1) != "Anna" {
		t.Errorf("after the move: %v, %q", *answer, w.name(w.nodes["n4"], 1, 1))
	}
}

func (w *world) leaderName(s storage.ShardID) storage.NodeID {
	name, _ := w.leader(s)
	return name
}
