package placement_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/cluster/placement"
	"github.com/parley-im/parley/storage"
)

func name(i int) storage.NodeID { return storage.NodeID(fmt.Sprintf("n%02d", i)) }

// registry has active nodes n00, n01 ... in the given zones.
func registry(zones ...string) placement.Registry {
	var r placement.Registry
	for i, z := range zones {
		r.Nodes = append(r.Nodes, placement.Node{ID: name(i), Zone: z, State: placement.Active})
	}
	return r
}

// view has all nodes alive, and as many shards, all on the first node.
func view(r placement.Registry, shards int) placement.View {
	v := placement.View{Registry: r}
	for _, n := range r.Nodes {
		v.Alive = append(v.Alive, n.ID)
	}
	for s := range shards {
		v.Shards = append(v.Shards, placement.Shard{ID: storage.ShardID(s), Leader: name(0), Voters: []storage.NodeID{name(0)}})
	}
	return v
}

// move puts all replicas where they are desired and counts those that are new.
func move(v *placement.View) (moved int) {
	for i, t := range placement.Desired(*v) {
		s := &v.Shards[i]
		before := slices.Concat(s.Voters, s.Learners)
		for _, n := range slices.Concat(t.Voters, t.Learners) {
			if !slices.Contains(before, n) {
				moved++
			}
		}
		s.Voters, s.Learners = t.Voters, t.Learners
		if !slices.Contains(s.Voters, s.Leader) {
			s.Leader = s.Voters[0]
		}
	}
	return moved
}

func loads(v placement.View) map[storage.NodeID]int {
	out := make(map[storage.NodeID]int)
	for _, s := range v.Shards {
		for _, n := range slices.Concat(s.Voters, s.Learners) {
			out[n]++
		}
	}
	return out
}

// gap is the largest difference between the loads of some nodes.
func gap(load map[storage.NodeID]int, nodes []storage.NodeID) int {
	most, least := 0, 1<<30
	for _, n := range nodes {
		most, least = max(most, load[n]), min(least, load[n])
	}
	return max(0, most-least)
}

func TestOneNodeVotesAloneTwoDoNotNeedTheSecondAndThreeAllVote(t *testing.T) {
	for nodes, want := range map[int][2]int{1: {1, 0}, 2: {1, 1}, 3: {3, 0}, 7: {3, 0}} {
		for s, target := range placement.Desired(view(registry(make([]string, nodes)...), 9)) {
			if got := [2]int{len(target.Voters), len(target.Learners)}; got != want {
				t.Errorf("shard %d on %d nodes has %+v", s, nodes, target)
			}
			if nodes == 2 && target.Voters[0] != name(0) {
				t.Errorf("the voter of shard %d has left %s for %s", s, name(0), target.Voters[0])
			}
		}
	}
}

func TestANodeThatComesOrGoesMovesItsOwnShareOnly(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		nodes, shards := rapid.IntRange(3, 9).Draw(t, "nodes"), rapid.IntRange(1, 130).Draw(t, "shards")
		v := view(registry(make([]string, nodes)...), shards)
		move(&v)
		if g := gap(loads(v), v.Alive); g > 1 {
			t.Fatalf("%d nodes hold %v", nodes, loads(v))
		}
		if moved := move(&v); moved != 0 {
			t.Fatalf("%d replicas move although nothing changed", moved)
		}
		grown := view(registry(make([]string, nodes+1)...), 0)
		grown.Shards = v.Shards
		moved, share := move(&grown), loads(grown)[name(nodes)]
		if g := gap(loads(grown), grown.Alive); g > 1 || moved != share {
			t.Fatalf("the new node holds %d, moved were %d; loads %v", share, moved, loads(grown))
		}
		gone := rapid.IntRange(0, nodes).Draw(t, "gone")
		share = loads(grown)[name(gone)]
		grown.Registry.Nodes[gone].State = placement.Draining
		left := slices.DeleteFunc(slices.Clone(grown.Alive), func(n storage.NodeID) bool { return n == name(gone) })
		moved = move(&grown)
		if loads(grown)[name(gone)] != 0 || gap(loads(grown), left) > 1 || moved > share+nodes {
			t.Fatalf("the node that left held %d, moved were %d; loads %v", share, moved, loads(grown))
		}
	})
}

func TestReplicasAreInAsManyZonesAsCanBeAndEvenWithinThem(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		zones := rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "c", "d"}), 3, 9).Draw(t, "zones")
		v := view(registry(zones...), rapid.IntRange(1, 60).Draw(t, "shards"))
		if rapid.Bool().Draw(t, "scattered") { // where it was put without regard to zones
			for i := range v.Shards {
				order := rapid.Permutation(v.Alive).Draw(t, "order")
				v.Shards[i].Voters, v.Shards[i].Leader = order[:3], order[0]
			}
		}
		move(&v)
		of := make(map[storage.NodeID]string)
		members := make(map[string][]storage.NodeID)
		for _, n := range v.Registry.Nodes {
			of[n.ID] = n.Zone
			members[n.Zone] = append(members[n.Zone], n.ID)
		}
		for _, s := range v.Shards {
			seen := make(map[string]bool)
			for _, n := range s.Voters {
				seen[of[n]] = true
			}
			if len(s.Voters) != 3 || len(seen) != min(3, len(members)) {
				t.Fatalf("shard %d is on %v in zones %v", s.ID, s.Voters, seen)
			}
		}
		for zone, nodes := range members {
			if g := gap(loads(v), nodes); g > 1 {
				t.Fatalf("the nodes of zone %s hold %v", zone, loads(v))
			}
		}
		if want, got := fair(members, len(v.Shards)), squares(loads(v)); got != want {
			t.Fatalf("loads %v have a sum of squares of %d, the most even ones %d", loads(v), got, want)
		}
	})
}

// fair is the sum of squares of the most even loads that zones allow: replicas
// are dealt out one at a time to whoever has least and may have more.
func fair(members map[string][]storage.NodeID, shards int) int {
	perZone := (3 + len(members) - 1) / len(members)
	load, inZone := make(map[storage.NodeID]int), make(map[string]int)
	for range 3 * shards {
		best, at := storage.NodeID(""), ""
		for zone, nodes := range members {
			for _, n := range nodes {
				if inZone[zone] < perZone*shards && load[n] < shards && (best == "" || load[n] < load[best]) {
					best, at = n, zone
				}
			}
		}
		load[best]++
		inZone[at]++
	}
	return squares(load)
}

func squares(load map[storage.NodeID]int) (sum int) {
	for _, n := range load {
		sum += n * n
	}
	return sum
}

func TestASilentNodeIsReplacedAfterItsTimeWhenEnoughRemain(t *testing.T) {
	for _, c := range []struct {
		nodes int
		after int64
		holds bool
	}{
		{4, placement.SilentFor.Milliseconds() - 1, true},
		{4, placement.SilentFor.Milliseconds(), false},
		{3, placement.SilentFor.Milliseconds(), true},
	} {
		v := view(registry(make([]string, c.nodes)...), 20)
		move(&v)
		v.Registry.Nodes[1].SilentMs = c.after
		v.Alive = slices.Delete(v.Alive, 1, 2)
		move(&v)
		if got := loads(v)[name(1)] > 0; got != c.holds {
			t.Errorf("one of %d nodes, silent for %d ms, holds %d", c.nodes, c.after, loads(v)[name(1)])
		}
	}
}

func TestTheRegistryRefusesWhatMakesNoSense(t *testing.T) {
	r := registry("", "")
	var few *placement.TooFewError
	if err := r.Drain("who"); !errors.Is(err, placement.ErrUnknownNode) {
		t.Error(err)
	}
	if err := r.Drain(name(0)); err != nil {
		t.Error(err)
	}
	if err := r.Drain(name(0)); err != nil {
		t.Errorf("again: %v", err)
	}
	for _, refused := range []error{r.Drain(name(1)), r.Remove(name(1))} {
		if !errors.As(refused, &few) || few.Left != 0 || few.Need != 1 {
			t.Errorf("the last active node: %v", refused)
		}
	}
	if err := r.Undrain(name(0)); err != nil || r.Node(name(0)).State != placement.Active {
		t.Errorf("%v, %+v", err, r.Node(name(0)))
	}
	r.Nodes[0].SilentMs = 5
	if err := r.Remove(name(1)); !errors.As(err, &few) {
		t.Errorf("the last active node that is heard from: %v", err)
	}
	r.Nodes[0].SilentMs = 0
	if err := r.Remove(name(1)); err != nil {
		t.Error(err)
	}
	for _, refused := range []error{r.Drain(name(1)), r.Undrain(name(1))} {
		if !errors.Is(refused, placement.ErrRemoved) {
			t.Errorf("a removed node: %v", refused)
		}
	}
}

func member(id storage.NodeID, oldest, newest uint32) placement.Member {
	return placement.Member{ID: id, Speaks: chat.Versions{Oldest: oldest, Newest: newest}}
}

func TestTheVersionIsTheLowestNewestAndOnlyGrows(t *testing.T) {
	r := placement.Registry{Cluster: "c", Shards: 4, Version: 1}
	a, b, c := member("a", 1, 1), member("b", 1, 1), member("c", 1, 1)
	newer := func(m placement.Member) placement.Member { return member(m.ID, 1, 2) }
	for i, step := range []struct {
		alive []placement.Member
		want  uint32
	}{
		{[]placement.Member{a, b, c}, 1},
		{[]placement.Member{newer(a), newer(b), c}, 1},
		{[]placement.Member{newer(a), newer(b)}, 1}, // c restarts
		{[]placement.Member{newer(b), newer(c)}, 1}, // a may come back as the older release
		{[]placement.Member{a, newer(b), newer(c)}, 1},
		{[]placement.Member{newer(a), newer(b), newer(c)}, 2},
		{[]placement.Member{a, newer(b), newer(c)}, 2}, // refused by the others, and no reason to go back
	} {
		r.Observe(step.alive, nil)
		if r.Version != step.want {
			t.Fatalf("after step %d the version is %d, want %d", i, r.Version, step.want)
		}
	}
	if err := r.Remove("b"); err != nil {
		t.Fatal(err)
	}
	r.Observe([]placement.Member{member("a", 1, 3), member("c", 1, 3)}, nil)
	if r.Version != 3 {
		t.Errorf("a removed node holds the version at %d", r.Version)
	}
}

func TestTheRegistryTakesInWhoIsAlive(t *testing.T) {
	r := placement.Registry{Cluster: "c", Shards: 4, Version: 2}
	a, b := member("a", 1, 2), member("b", 2, 3)
	a.Zone = "z"
	if !r.Observe([]placement.Member{b, a, member("old", 1, 1), member("young", 3, 4)}, nil) || len(r.Nodes) != 2 || r.Version != 2 {
		t.Errorf("after two nodes, one that is too old and one that is too new: %+v", r)
	}
	if r.Observe([]placement.Member{a, b}, nil) {
		t.Error("nothing has changed")
	}
	for _, c := range []struct {
		silent time.Duration
		writes bool
		ms     int64
	}{{0, true, 1}, {59 * time.Second, false, 1}, {119 * time.Second, true, 60_000}, {time.Second, false, 60_000}} {
		changed := r.Observe([]placement.Member{b}, map[storage.NodeID]time.Duration{"a": c.silent})
		if got := r.Node("a"); got.SilentMs != c.ms || changed != c.writes {
			t.Errorf("silent for %v the node is %+v, changed %v", c.silent, got, changed)
		}
	}
	if err := r.Remove("a"); err != nil {
		t.Fatal(err)
	}
	r.Observe([]placement.Member{a, b}, nil)
	if got := r.Node("a"); got.State != placement.Removed || r.Version != 3 {
		t.Errorf("the removed node is %+v, the version %d", got, r.Version)
	}
	data, err := r.Encode()
	if err != nil {
		t.Fatal(err)
	}
	again, err := placement.Decode(data)
	if back, _ := again.Encode(); err != nil || string(back) != string(data) {
		t.Errorf("%s is read as %+v, %v", data, again, err)
	}
	if _, err := placement.Decode([]byte(`{"format":2}`)); err == nil {
		t.Error("a newer format is read")
	}
}

func TestTheRegistryForgetsTheOldestOfWhatIsGone(t *testing.T) {
	const many = 1000
	r := placement.Registry{Cluster: "c", Shards: 1}
	members := []placement.Member{{ID: "alive"}}
	r.Observe([]placement.Member{{ID: "holds"}, {ID: "alive"}, {ID: "drained"}}, nil)
	shards := []placement.Shard{{ID: 1, Voters: []storage.NodeID{"holds"}}}
	for i := range many {
		id := storage.NodeID(fmt.Sprintf("%032d", i))
		r.Observe([]placement.Member{{ID: "alive"}, {ID: id, Zone: "zone"}}, nil)
		if i%2 == 0 {
			if err := r.Remove(id); err != nil {
				t.Fatal(err)
			}
		} else {
			r.Observe(members, map[storage.NodeID]time.Duration{id: placement.SilentFor})
		}
		r.Forget(members, shards)
	}
	if data, err := r.Encode(); err != nil || len(data) > 32<<10 {
		t.Errorf("the document has %d bytes, %v", len(data), err)
	}
	newest := r.Node(storage.NodeID(fmt.Sprintf("%032d", many-2)))
	if r.Node("holds") == nil || r.Node("alive") == nil || r.Node("drained") == nil || newest == nil || newest.State != placement.Removed {
		t.Errorf("of %d nodes it has forgotten one that it must not", len(r.Nodes))
	}
	before := len(r.Nodes)
	for i := range 10 {
		id := storage.NodeID(fmt.Sprintf("more%d", i))
		r.Observe([]placement.Member{{ID: "alive"}, {ID: id}}, nil)
		if err := r.Remove(id); err != nil {
			t.Fatal(err)
		}
	}
	for _, unknown := range [][]placement.Shard{{{ID: 1}}, {{ID: 1, Voters: []storage.NodeID{"holds"}, Joint: true}}} {
		if r.Forget(members, unknown) || len(r.Nodes) != before+10 {
			t.Error("it forgets although who holds replicas is not known")
		}
	}
}
