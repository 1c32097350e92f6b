package round

import (
	"cmp"
	"slices"

	"go.etcd.io/raft/v3"
	"go.etcd.io/raft/v3/tracker"

	"github.com/parley-im/parley/proto/logpb"
	"github.com/parley-im/parley/storage"
)

// Target is the set of replicas that a shard shall have.
type Target struct {
	Voters, Learners []storage.NodeID
}

// Check says what is wrong with a target, CodeInvalidParam.
func (t Target) Check() error {
	if len(t.Voters) == 0 {
		return badChange("a shard needs a voter")
	}
	all := slices.Sorted(slices.Values(slices.Concat(t.Voters, t.Learners)))
	if len(slices.Compact(all)) < len(t.Voters)+len(t.Learners) {
		return badChange("a node can hold one replica of a shard")
	}
	return nil
}

// errReached says that nothing is left to do.
var errReached = badChange("the shard is as wanted")

// Reshape does the next thing that brings the shard's replicas to exactly the
// target, a valid one: learners come first; when they have caught up, one change
// makes voters of them and takes out, or makes learners of, those who are voters
// and shall not be. done hears whether nothing is left to do, or an error as
// those of Change: Busy to be asked again soon, Unavailable when leadership is
// elsewhere or must go first, and is on its way.
func (w *Worker) Reshape(shard storage.ShardID, t Target, done func(reached bool, err error)) {
	tell := func(err error) {
		if err == errReached {
			done(true, nil)
			return
		}
		done(false, err)
	}
	g := w.groups[shard]
	c, err := Change{}, error(ErrNotLeader)
	if g != nil && g.leading != 0 {
		c, err = g.towards(t)
	}
	if err != nil {
		w.answer(Answer{Done: func(_ storage.Outcome, err error) { tell(err) }, Err: err})
		return
	}
	c.Shard, c.Done = shard, tell
	w.Change(c)
}

// towards is the next change on the way to a target.
func (g *group) towards(t Target) (Change, error) {
	if len(g.desc.GetVotersOutgoing()) > 0 {
		return Change{}, errBusy // Raft leaves it by itself
	}
	var c Change
	for _, node := range slices.Concat(t.Voters, t.Learners) {
		if replicaOn(g.desc, node) == 0 {
			c.Learners = append(c.Learners, node)
		}
	}
	var stay []uint64 // voters before and after
	leaves := false   // this replica is none
	for _, m := range g.desc.GetMembers() {
		id, votes := storage.ReplicaID(m.Replica), slices.Contains(g.desc.GetVoters(), m.Replica)
		shall := slices.Contains(t.Voters, storage.NodeID(m.Node))
		switch {
		case votes && shall:
			stay = append(stay, m.Replica)
		case shall:
			c.Promote = append(c.Promote, id)
		case votes && id == g.id:
			leaves = true
		case !slices.Contains(t.Learners, storage.NodeID(m.Node)):
			c.Remove = append(c.Remove, id)
		case votes:
			c.Demote = append(c.Demote, id)
		}
	}
	if len(c.Learners) > 0 { // nobody stops voting before there is somebody in their place
		c.Promote, c.Demote = nil, nil
		c.Remove = slices.DeleteFunc(c.Remove, func(id storage.ReplicaID) bool { return slices.Contains(g.desc.GetVoters(), uint64(id)) })
		return c, nil
	}
	switch {
	case leaves && len(stay) > 0:
		return Change{}, g.handOver(stay)
	case leaves: // none of the voters stays: one that does comes first, and leads
		return Change{Promote: c.Promote}, nil
	case len(c.Promote)+len(c.Demote)+len(c.Remove) == 0:
		return Change{}, errReached
	}
	return c, nil
}

// replicaOn is a node's replica, 0 when it has none.
func replicaOn(d *logpb.Descriptor, node storage.NodeID) storage.ReplicaID {
	for _, m := range d.GetMembers() {
		if storage.NodeID(m.Node) == node {
			return storage.ReplicaID(m.Replica)
		}
	}
	return 0
}

// Led is a shard that this node leads.
type Led struct {
	Leadership
	// Descriptor must not be changed.
	Descriptor *logpb.Descriptor
	Applied    uint64
	Small      bool // its contents are moved in next to no time
	Followers  []Follower
}

// Follower is another replica as its leader knows it.
type Follower struct {
	Node     storage.NodeID
	Match    uint64 // how much of the log it has
	CaughtUp bool   // all but the newest few entries, and it was heard from lately
}

// Led lists the shards that this node leads, ascending.
func (w *Worker) Led() []Led {
	var out []Led
	for _, g := range w.sorted {
		if g.leading == 0 {
			continue
		}
		led := Led{Leadership: Leadership{g.shard, g.leading}, Descriptor: g.desc, Applied: g.applied.Index, Small: g.small()}
		g.node.WithProgress(func(id uint64, _ raft.ProgressType, pr tracker.Progress) {
			if node, ok := g.nodeOf(id); ok && id != uint64(g.id) {
				led.Followers = append(led.Followers, Follower{Node: node, Match: pr.Match, CaughtUp: pr.RecentActive && g.hasCaughtUp(pr)})
			}
		})
		slices.SortFunc(led.Followers, func(a, b Follower) int { return cmp.Compare(a.Node, b.Node) })
		out = append(out, led)
	}
	return out
}
