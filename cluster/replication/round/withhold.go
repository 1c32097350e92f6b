package round

import (
	"go.etcd.io/raft/v3"
	pb "go.etcd.io/raft/v3/raftpb"
)

// A node whose clock is wrong is not to lead: what it stamps would stand in the
// order of all messages for good. It votes and follows as before, but does not
// campaign, and hands over what it leads to whoever can take it. Where nobody can,
// it goes on leading.

// Withhold has the node not lead, or end that. It holds until the next call.
func (w *Worker) Withhold(on bool) {
	if w.withheld = on; !on {
		return
	}
	for _, g := range w.sorted {
		g.campaignStop()
		g.yield(0)
	}
}

// withholds says whether a message would have a withheld node lead.
func (w *Worker) withholds(t pb.MessageType) bool { return w.withheld && t == pb.MsgTimeoutNow }

// tickWithheld takes the place of Raft's tick: a follower's would have it campaign.
// What else Raft does by it is done here: a leader that is silent for an election
// time is forgotten, so that others get this one's vote.
func (g *group) tickWithheld() {
	switch {
	case g.role == raft.StateLeader:
		g.node.Tick()
		if g.ticks%electionTicks == 0 {
			g.yield(g.ticks / electionTicks)
		}
	case g.silence >= electionTicks && g.lead != raft.None:
		_ = g.node.ForgetLeader()
	}
}

// yield hands over to one of the voters that could lead, another one at each try,
// as some may be withheld too.
func (g *group) yield(try int) {
	if g.leading == 0 || g.handing > 0 {
		return
	}
	var able []uint64
	for _, id := range g.desc.GetVoters() {
		if g.couldLead(id) {
			able = append(able, id)
		}
	}
	if len(able) > 0 {
		g.transfer(able[try%len(able)])
	}
}
