package round_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/parley-im/parley/cluster/replication/round"
	"github.com/parley-im/parley/storage"
	"github.com/parley-im/parley/storage/memory"
)

// sized says what it holds.
type sized struct {
	storage.Store
	bytes uint64
}

// Size implements storage.Store.
func (s *sized) Size(storage.ShardID) (uint64, error) { return s.bytes, nil }

func (n *node) small(s storage.ShardID) bool {
	all := n.core.Led()
	return all[slices.IndexFunc(all, func(l round.Led) bool { return l.Shard == s })].Small
}

func TestAShardIsSmallUntilMuchWasWritten(t *testing.T) {
	w := newWorld(t, "n1")
	w.run(time.Second)
	n := w.nodes["n1"]
	text := make([]byte, 1000)
	for i := range 300 {
		if i == 200 && !n.small(1) {
			t.Error("200 KB are not small")
		}
		w.propose(1, i, string(text))
		w.run(10 * time.Millisecond)
	}
	if n.small(1) || !n.small(2) {
		t.Errorf("small: with 300 KB %v, empty %v", n.small(1), n.small(2))
	}
	// What was written before a start is on the disk.
	core, err := round.New(round.Options{Store: &sized{n.store, 1 << 20}, Origin: 9}, []storage.ShardID{1, 2, 3})
	if err != nil {
		t.Fatal(err)
	}
	n.core = core
	w.run(time.Second)
	if n.small(1) {
		t.Error("1 MB on the disk is small")
	}
}

// TestManySmallSnapshotsAreSentAtATimeAndFewLargeOnes has a node get a replica of
// every shard, whose snapshots do not arrive.
func TestManySmallSnapshotsAreSentAtATimeAndFewLargeOnes(t *testing.T) {
	const many = 40
	for _, c := range []struct {
		bytes uint64
		most  int
	}{{0, 32}, {1 << 20, 2}} {
		t.Run(fmt.Sprintf("shards of %d bytes", c.bytes), func(t *testing.T) {
			all := make([]storage.ShardID, many)
			for i := range all {
				all[i] = storage.ShardID(i + 1)
			}
			a, err := round.New(round.Options{Store: &sized{memory.New(many, "a"), c.bytes}, Origin: 1}, all)
			if err != nil {
				t.Fatal(err)
			}
			b, err := round.New(round.Options{Store: memory.New(many, "b"), Origin: 2}, all)
			if err != nil {
				t.Fatal(err)
			}
			for _, s := range all {
				if err := a.Bootstrap(s, []storage.NodeID{"a"}); err != nil {
					t.Fatal(err)
				}
			}
			cores := map[storage.NodeID]*round.Worker{"a": a, "b": b}
			sent := 0
			for tick := range 40 {
				if tick == 10 {
					for _, s := range all {
						a.Change(round.Change{Shard: s, Learners: []storage.NodeID{"b"}, Done: func(err error) {
							if err != nil {
								t.Error(err)
							}
						}})
					}
				}
				for name, core := range cores {
					core.Tick()
					for core.Busy() {
						sent += len(turn(t, cores, name, core, time.Duration(tick)*round.TickInterval))
					}
				}
			}
			if sent != c.most {
				t.Errorf("%d snapshots are on their way, want %d", sent, c.most)
			}
		})
	}
}

// turn runs a round and gives the snapshots to be sent.
func turn(t *testing.T, cores map[storage.NodeID]*round.Worker, name storage.NodeID, core *round.Worker, now time.Duration) []round.Snapshot {
	t.Helper()
	r := core.Begin(now)
	for _, a := range r.Answers {
		a.Done(a.Outcome, a.Err)
	}
	if err := r.Commit(); err != nil {
		t.Fatal(err)
	}
	after, err := core.Finish()
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range slices.Concat(r.Appends, after.Messages) {
		cores[o.To].Step(name, o.Message)
	}
	for _, a := range after.Answers {
		a.Done(a.Outcome, a.Err)
	}
	return after.Snapshots
}
