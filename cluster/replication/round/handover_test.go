package round_test

import (
	"slices"
	"testing"
	"time"

	"github.com/parley-im/parley/cluster/replication/round"
	"github.com/parley-im/parley/storage"
)

// within is how long a proposal waits for its answer.
func (w *world) within(s storage.ShardID, i int) (took time.Duration) {
	w.Helper()
	begun := w.now
	for again := true; again; {
		answer := w.propose(s, i, "Ann")
		w.run(20 * time.Millisecond)
		if again = *answer != nil; again && w.now-begun > time.Minute {
			w.Fatal(*answer)
		}
	}
	return w.now - begun
}

// TestAHandOverThatFailsStopsTheShardForAMoment has a leader asked to hand over
// to one that cannot take over, or that goes away before it can: Raft alone
// would wait for an election time without taking a proposal.
func TestAHandOverThatFailsStopsTheShardForAMoment(t *testing.T) {
	for _, c := range []struct {
		name string
		do   func(w *world, leader *node, to storage.NodeID)
		most time.Duration
	}{
		{"to one whose connection is broken", func(_ *world, leader *node, to storage.NodeID) {
			leader.core.LinkDown(to)
			leader.core.Transfer(1, to)
		}, 20 * time.Millisecond},
		{"to one whose connection breaks", func(w *world, leader *node, to storage.NodeID) {
			leader.core.Transfer(1, to)
			leader.core.LinkDown(to)
		}, 20 * time.Millisecond},
		{"to one that is silent", func(_ *world, leader *node, to storage.NodeID) { leader.core.Transfer(1, to) }, 200 * time.Millisecond},
		{"to nobody", func(_ *world, leader *node, _ storage.NodeID) { leader.core.Transfer(1, "n9") }, 20 * time.Millisecond},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, "n1", "n2", "n3")
			w.run(3 * time.Second)
			w.within(1, 1)
			name, leader := w.leader(1)
			to := w.names[slices.IndexFunc(w.names, func(n storage.NodeID) bool { return n != name })]
			for !slices.ContainsFunc(leader.core.Led(), func(l round.Led) bool {
				return l.Shard == 1 && slices.ContainsFunc(l.Followers, func(f round.Follower) bool { return f.Node == to && f.CaughtUp })
			}) {
				w.run(20 * time.Millisecond) // Raft forgets now and then whom it has heard of
			}
			w.cut[to] = true
			c.do(w, leader, to)
			if took := w.within(1, 2); took > c.most {
				t.Errorf("the shard took nothing for %v", took)
			}
			if now := w.leaderName(1); now != name {
				t.Errorf("%s leads, %s did", now, name)
			}
			w.cut[to] = false
			for tries := 0; w.leaderName(1) != to; tries++ { // and once it is back, it may lead
				if tries == 100 {
					t.Fatalf("%s never leads", to)
				}
				leader.core.Transfer(1, to)
				w.run(100 * time.Millisecond)
			}
		})
	}
}
