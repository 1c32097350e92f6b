package round_test

import (
	"errors"
	"testing"
	"time"

	pb "go.etcd.io/raft/v3/raftpb"

	"github.com/parley-im/parley/proto/peerpb"
	"github.com/parley-im/parley/storage"
)

// The leader knows from this replica's own mouth which entries it has, so a store
// without them was put back from an older copy.
func TestALeaderThatCountsOnLostEntriesEndsTheNode(t *testing.T) {
	w := newWorld(t, "n1", "n2", "n3")
	w.run(2 * time.Second)
	leader, _ := w.leader(1)
	name := storage.NodeID("n1")
	if leader == name {
		name = "n2"
	}
	older := w.nodes[name].store.Copy()
	answer := w.propose(1, 1, "Ann")
	w.run(200 * time.Millisecond)
	if *answer != nil {
		t.Fatal(*answer)
	}
	now, err := w.nodes[name].store.Replica(1)
	if err != nil {
		t.Fatal(err)
	}
	heartbeat := func(commit uint64) error {
		n := w.start(name, older.Copy(), nil)
		n.core.Step(leader, &peerpb.Message{
			Shard: 1, Kind: peerpb.Kind_KIND_RAFT, Type: uint32(pb.MsgHeartbeat), From: 99, To: uint64(now.ID), Term: uint64(now.Term), Commit: commit,
		})
		if err := n.core.Begin(w.now).Commit(); err != nil {
			t.Fatal(err)
		}
		_, err := n.core.Finish()
		return err
	}
	before, err := older.Replica(1)
	if err != nil {
		t.Fatal(err)
	}
	if err := heartbeat(before.Last); err != nil {
		t.Errorf("what it has gives %v", err)
	}
	if err := heartbeat(now.Last); !errors.Is(err, storage.ErrOutdated) {
		t.Errorf("what it has lost gives %v", err)
	}
}
