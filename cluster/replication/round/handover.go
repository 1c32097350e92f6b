package round

import (
	"slices"

	"go.etcd.io/raft/v3"
	"go.etcd.io/raft/v3/tracker"

	"github.com/parley-im/parley/storage"
)

// A leader that hands over takes no proposals until the other one campaigns, or
// an election time has passed. So it hands over only to a voter that could take
// over at once, and goes on leading when that one's connection breaks, or when
// nothing has come of it after a while.

// handOverTicks is the while: a voter that is up to date needs a round or two.
const handOverTicks = 3

// Transfer asks the leader of a shard to hand over to another voter, if that one
// has caught up and is connected. Nothing tells of its end but the leaderships.
func (w *Worker) Transfer(shard storage.ShardID, to storage.NodeID) {
	g := w.groups[shard]
	if g == nil || g.leading == 0 || !g.leads() {
		return
	}
	if replica := uint64(replicaOn(g.desc, to)); slices.Contains(g.desc.GetVoters(), replica) && g.couldLead(replica) {
		g.transfer(replica)
	}
}

// handOver transfers the leadership to the one of some voters that has most of
// the log.
func (g *group) handOver(to []uint64) error {
	best, match := uint64(raft.None), uint64(0)
	g.node.WithProgress(func(id uint64, _ raft.ProgressType, pr tracker.Progress) {
		if slices.Contains(to, id) && (best == raft.None || pr.Match > match) && g.couldLead(id) {
			best, match = id, pr.Match
		}
	})
	if best == raft.None || !g.leads() {
		return errBusy
	}
	g.transfer(best)
	return ErrNotLeader
}

// couldLead says whether another voter could take over at once.
func (g *group) couldLead(replica uint64) (could bool) {
	node, known := g.nodeOf(replica)
	if !known || replica == uint64(g.id) || g.w.cut[node] {
		return false
	}
	g.node.WithProgress(func(id uint64, _ raft.ProgressType, pr tracker.Progress) {
		could = could || id == replica && pr.RecentActive && g.hasCaughtUp(pr)
	})
	return could
}

func (g *group) transfer(to uint64) {
	if g.node.BasicStatus().LeadTransferee != to {
		g.handing = 1
	}
	g.node.TransferLeader(to)
	g.w.touch(g)
}

// tickTransfer counts the ticks of a transfer, and ends it.
func (g *group) tickTransfer() {
	if g.handing == 0 {
		return
	}
	if g.handing++; g.role != raft.StateLeader {
		g.handing = 0
	} else if g.handing > handOverTicks {
		g.keep()
	}
}

// keepFrom ends a transfer to a replica that is out of reach.
func (g *group) keepFrom(replica uint64) {
	if g.handing > 0 && g.node.BasicStatus().LeadTransferee == replica {
		g.keep()
	}
}

// keep has the leader go on: Raft takes a transfer to itself as that.
func (g *group) keep() {
	g.handing = 0
	g.node.TransferLeader(uint64(g.id))
	g.w.touch(g)
}
