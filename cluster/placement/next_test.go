package placement_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/parley-im/parley/cluster/placement"
	"github.com/parley-im/parley/storage"
)

// settled is a cluster that is as desired, its leaders spread too.
func settled(t *testing.T, nodes, shards int) placement.View {
	t.Helper()
	v := view(registry(make([]string, nodes)...), shards)
	move(&v)
	for range 100 {
		steps := placement.Next(v)
		if len(steps) == 0 {
			return v
		}
		for _, s := range steps {
			v.Shards[s.Shard].Leader = s.To
		}
	}
	t.Fatal("leaders are never spread")
	return v
}

// without has a node dead, and its shards led by others.
func without(v placement.View, dead storage.NodeID) placement.View {
	v.Alive = slices.DeleteFunc(slices.Clone(v.Alive), func(n storage.NodeID) bool { return n == dead })
	v.Shards = slices.Clone(v.Shards)
	for i := range v.Shards {
		if s := &v.Shards[i]; s.Leader == dead {
			s.Leader = s.Voters[slices.IndexFunc(s.Voters, func(n storage.NodeID) bool { return n != dead })]
		}
	}
	return v
}

func state(v *placement.View, node int, s placement.State) {
	v.Registry.Nodes = slices.Clone(v.Registry.Nodes)
	v.Registry.Nodes[node].State = s
}

func count(steps []placement.Step) (transfers, reshapes int) {
	for _, s := range steps {
		if s.To != "" {
			transfers++
		}
	}
	return transfers, len(steps) - transfers
}

func TestWhatIsUnderWayIsBounded(t *testing.T) {
	v := settled(t, 20, 100)
	for i := range 6 {
		state(&v, i, placement.Draining)
	}
	for i := range v.Shards { // those nodes lead nothing, so that replicas move at once
		s := &v.Shards[i]
		s.Leader = s.Voters[len(s.Voters)-1]
	}
	if _, reshapes := count(placement.Next(v)); reshapes != placement.MaxReshapes {
		t.Errorf("%d reshapes begin, want %d", reshapes, placement.MaxReshapes)
	}
	v.InFlight = placement.Next(v)
	if _, reshapes := count(placement.Next(v)); reshapes != 0 {
		t.Errorf("%d more begin", reshapes)
	}
	desired := placement.Desired(v)
	for _, s := range v.InFlight {
		if s.To == "" && fmt.Sprint(desired[s.Shard]) != fmt.Sprint(s.Target) {
			t.Errorf("shard %d is on its way to %v, desired is %v", s.Shard, s.Target, desired[s.Shard])
		}
	}

	v = settled(t, 3, 40)
	for i := range v.Shards {
		v.Shards[i].Leader = name(0)
	}
	v.Leaving = []storage.NodeID{name(0)}
	if transfers, reshapes := count(placement.Next(v)); transfers != placement.MaxTransfers || reshapes != 0 {
		t.Errorf("%d transfers and %d reshapes begin", transfers, reshapes)
	}
}

func TestLeadershipGoesOnlyToWhoMayAndCanTakeIt(t *testing.T) {
	v := settled(t, 4, 30)
	for i := range v.Shards {
		v.Shards[i].Leader = v.Shards[i].Voters[0]
		v.Shards[i].Behind = v.Shards[i].Voters[1:]
	}
	if steps := placement.Next(v); len(steps) != 0 {
		t.Errorf("replicas that lack much are to lead: %+v", steps)
	}
	state(&v, 0, placement.Draining)
	for _, s := range placement.Next(v) {
		if s.Leader == name(0) || s.To != "" {
			t.Errorf("a leader that cannot hand over is given step %+v", s)
		}
	}

	v = settled(t, 3, 30) // three replicas, and no node that could take one over
	state(&v, 2, placement.Draining)
	for i := range v.Shards {
		v.Shards[i].Leader, v.Shards[i].Joint = name(i%2), true
	}
	v.Shards[1].Leader, v.Shards[1].Joint = name(0), false
	v.Shards[3].Leader, v.Shards[3].Joint = name(0), false
	v.Shards[5].Leader, v.Shards[5].Joint = name(0), false
	for _, s := range placement.Next(v) {
		if s.To == name(2) {
			t.Errorf("step %+v hands over to a node that drains", s)
		}
	}
}

func TestLeadersAreSpreadOnlyWhenReplicasAreAtRest(t *testing.T) {
	v := settled(t, 4, 30)
	for i := range v.Shards {
		s := &v.Shards[i]
		s.Leader = s.Voters[0]
	}
	if transfers, _ := count(placement.Next(v)); transfers == 0 {
		t.Error("at rest no leader is moved")
	}
	v.InFlight = []placement.Step{{Shard: 9, Leader: v.Shards[9].Leader, Target: placement.Target{Voters: v.Shards[9].Voters}}}
	if steps := placement.Next(v); len(steps) != 0 {
		t.Errorf("while replicas move: %+v", steps)
	}
}

func TestWhatIsUnderWayCountsAsDone(t *testing.T) {
	v := settled(t, 4, 30)
	grown := view(registry(make([]string, 5)...), 0)
	grown.Shards = v.Shards
	for i := range grown.Shards {
		s := &grown.Shards[i]
		target := placement.Target{Voters: append(slices.Clone(s.Voters[:2]), name(4))}
		grown.InFlight = []placement.Step{{Shard: s.ID, Leader: s.Leader, Target: target}}
		if got := placement.Desired(grown)[s.ID]; fmt.Sprint(got) != fmt.Sprint(target) {
			t.Errorf("shard %d goes to %v, desired is %v", s.ID, target, got)
		}
	}
}

func TestReplicasThatMustMoveComeFirst(t *testing.T) {
	v := settled(t, 5, 50)
	joined := view(registry(make([]string, 7)...), 0)
	joined.Shards = v.Shards
	var drained storage.ShardID
	for i := range joined.Shards { // one shard alone, the last one, has a replica on the node that drains
		s := &joined.Shards[i]
		s.Voters = []storage.NodeID{name(0), name(1), name(2)}
		s.Leader = name(0)
		drained = s.ID
	}
	joined.Shards[drained].Voters = []storage.NodeID{name(0), name(1), name(4)}
	state(&joined, 4, placement.Removed)
	steps := placement.Next(joined)
	first := slices.IndexFunc(steps, func(s placement.Step) bool { return s.To == "" })
	if first < 0 || steps[first].Shard != drained {
		t.Errorf("the steps are %+v, want shard %d first", steps, drained)
	}
}

func TestWhatCouldCostAShardItsMajorityWaits(t *testing.T) {
	v := settled(t, 4, 30)
	grown := view(registry(make([]string, 5)...), 0)
	grown.Shards = v.Shards
	for _, s := range placement.Next(without(grown, name(1))) {
		if s.To == "" && slices.Contains(s.Target.Voters, name(1)) {
			t.Errorf("step %+v moves what could stay while a voter is dead", s)
		}
	}

	v = settled(t, 3, 5) // who could stay alone is dead
	state(&v, 0, placement.Draining)
	state(&v, 1, placement.Draining)
	if steps := placement.Next(without(v, name(2))); len(steps) != 0 {
		t.Errorf("with nobody alive to hold them: %+v", steps)
	}
	if steps := placement.Next(v); len(steps) == 0 {
		t.Error("with somebody alive nothing begins")
	}
}
