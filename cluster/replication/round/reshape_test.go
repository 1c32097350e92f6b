package round_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/cluster/replication/round"
	"github.com/parley-im/parley/proto/logpb"
	"github.com/parley-im/parley/storage"
	"github.com/parley-im/parley/storage/memory"
)

// reshape asks whoever leads shard 1 until its replicas are as wanted, and gives
// the configurations that it went through.
func (w *world) reshape(t round.Target) (through []string) {
	w.Helper()
	for range 200 {
		_, n := w.leader(1)
		done := false
		n.core.Reshape(1, t, func(reached bool, err error) {
			if code := chat.CodeOf(err); err != nil && code != chat.CodeBusy && code != chat.CodeUnavailable {
				w.Fatal(err)
			}
			done = reached
		})
		for range 10 {
			w.run(10 * time.Millisecond)
			if c := configuration(n.core.Descriptor(1)); len(through) == 0 || through[len(through)-1] != c {
				through = append(through, c)
			}
		}
		if done {
			return through
		}
	}
	w.Fatalf("%+v is never reached: %v", t, through)
	return nil
}

// configuration is a descriptor as "voters/learners", with "voters before>" in
// the middle of a joint change.
func configuration(d *logpb.Descriptor) string {
	name := func(ids []uint64) (out string) {
		var nodes []string
		for _, m := range d.Members {
			if slices.Contains(ids, m.Replica) {
				nodes = append(nodes, m.Node[1:])
			}
		}
		slices.Sort(nodes)
		return fmt.Sprint(nodes)
	}
	out := name(d.Voters) + name(d.Learners)
	if len(d.VotersOutgoing) > 0 {
		out = name(d.VotersOutgoing) + ">" + out
	}
	return out
}

func nodes(of ...storage.NodeID) []storage.NodeID { return of }

func TestAShardTakesTheShapesThatAreWanted(t *testing.T) {
	for _, c := range []struct {
		name   string
		begin  []storage.NodeID
		target round.Target
		never  string // a configuration
		want   string
	}{
		{"one grows to three", nodes("n1"), round.Target{Voters: nodes("n1", "n2", "n3")}, "[1 2][3]", "[1 2 3][]"},
		{"one gets a learner", nodes("n1"), round.Target{Voters: nodes("n1"), Learners: nodes("n2")}, "[1 2][]", "[1][2]"},
		{"three shrink to one and a learner", nodes("n1", "n2", "n3"), round.Target{Voters: nodes("n2"), Learners: nodes("n1")}, "[1 2][]", "[2][1]"},
		{"one moves", nodes("n1"), round.Target{Voters: nodes("n2")}, "[1][]", "[2][]"},
		{"three move", nodes("n1", "n2", "n3"), round.Target{Voters: nodes("n4", "n5", "n6")}, "", "[4 5 6][]"},
		{"two of three move", nodes("n1", "n2", "n3"), round.Target{Voters: nodes("n3", "n4", "n5")}, "", "[3 4 5][]"},
		{"two voters become others", nodes("n1", "n2"), round.Target{Voters: nodes("n2", "n3")}, "", "[2 3][]"},
		{"as it is", nodes("n1", "n2", "n3"), round.Target{Voters: nodes("n3", "n2", "n1")}, "", "[1 2 3][]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, c.begin...)
			for i := 1; i <= 6; i++ {
				if name := storage.NodeID(fmt.Sprintf("n%d", i)); !slices.Contains(c.begin, name) {
					w.start(name, memory.New(shards, name), c.begin)
				}
			}
			w.run(2 * time.Second)
			w.propose(1, 1, "Ann")
			w.run(100 * time.Millisecond)
			through := w.reshape(c.target)
			w.run(3 * time.Second)
			if got := through[len(through)-1]; got != c.want || c.never != "" && slices.Contains(through[1:], c.never) {
				t.Errorf("it went through %v, want %s in the end and never %s", through, c.want, c.never)
			}
			leader, n := w.leader(1)
			if !slices.Contains(c.target.Voters, leader) {
				t.Errorf("%s leads", leader)
			}
			for _, name := range w.names {
				r, _ := w.nodes[name].store.Replica(1)
				if wanted := slices.Contains(slices.Concat(c.target.Voters, c.target.Learners), name); wanted != (r.ID != 0 && !r.Removed) {
					t.Errorf("%s holds replica %+v", name, r)
				}
				if slices.Contains(c.target.Voters, name) && w.name(w.nodes[name], 1, 1) != "Ann" {
					t.Errorf("%s has %q", name, w.name(w.nodes[name], 1, 1))
				}
			}
			led := n.core.Led()
			at := slices.IndexFunc(led, func(l round.Led) bool { return l.Shard == 1 })
			if f := led[at].Followers; len(f) != len(c.target.Voters)+len(c.target.Learners)-1 || slices.ContainsFunc(f, func(f round.Follower) bool { return !f.CaughtUp }) {
				t.Errorf("the followers are %+v", f)
			}
		})
	}
}

// TestAShardIsLedOnAlsoWhenTheOneThatGoesLeadsInTheMiddle takes the leader away
// while two voters become others, so that the one that is to go is elected.
func TestAShardIsLedOnAlsoWhenTheOneThatGoesLeadsInTheMiddle(t *testing.T) {
	w := newWorld(t, "n1", "n2")
	w.start("n3", memory.New(shards, "n3"), nodes("n1", "n2"))
	w.run(2 * time.Second)
	for w.leaderName(1) != "n2" {
		_, n := w.leader(1)
		n.core.Transfer(1, "n2")
		w.run(100 * time.Millisecond)
	}
	w.reshape(round.Target{Voters: nodes("n1", "n2"), Learners: nodes("n3")})
	n2 := w.nodes["n2"]
	d := n2.core.Descriptor(1)
	n2.core.Change(round.Change{Shard: 1, Promote: []storage.ReplicaID{storage.ReplicaID(d.Learners[0])}, Remove: []storage.ReplicaID{1}, Done: func(error) {}})
	for name := w.names[0]; len(w.nodes["n1"].core.Descriptor(1).VotersOutgoing) == 0; { // n3 hears nothing, so that nobody can leave the change
		w.cut["n3"] = true
		w.rounds("n2")
		w.rounds(name)
		w.now += 10 * time.Millisecond
		if w.now > time.Minute {
			t.Fatal("the change does not begin")
		}
		w.nodes["n2"].core.Tick()
	}
	n2.core.Transfer(1, "n1")
	w.run(100 * time.Millisecond)
	w.cut["n3"] = false
	w.run(5 * time.Second)
	leader, n := w.leader(1)
	if got := configuration(n.core.Descriptor(1)); got != "[2 3][]" || leader == "n1" {
		t.Errorf("%s leads %s", leader, got)
	}
	answer := w.propose(1, 1, "Bo")
	w.run(200 * time.Millisecond)
	if *answer != nil {
		t.Error(*answer)
	}
	if r, _ := w.nodes["n1"].store.Replica(1); !r.Removed {
		t.Errorf("the replica of n1 is %+v", r)
	}
}
