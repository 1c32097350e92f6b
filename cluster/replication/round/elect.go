package round

import (
	"fmt"
	"slices"
	"time"

	"go.etcd.io/raft/v3"
	pb "go.etcd.io/raft/v3/raftpb"

	"github.com/parley-im/parley/proto/peerpb"
	"github.com/parley-im/parley/storage"
)

// When a leader's node is gone, the others campaign one after the other, in an
// order of each shard's own, so that votes do not split and leaders spread. The
// gap between two must be longer than a slow fsync: two who campaign at once
// vote for themselves, and both wait out Raft's random time.
const (
	firstCampaign = 10 * time.Millisecond
	startCampaign = 100 * time.Millisecond // connections come first
	campaignGap   = 350 * time.Millisecond
	campaignAgain = 60 * time.Millisecond
	maxCampaigns  = 4 // then Raft's own clock decides
)

// LinkDown says that the connection to a node broke.
func (w *Worker) LinkDown(node storage.NodeID) {
	w.cut[node] = true
	for _, g := range w.sorted {
		g.linkDown(node)
	}
}

func (g *group) linkDown(node storage.NodeID) {
	for _, m := range g.desc.GetMembers() {
		if storage.NodeID(m.Node) != node {
			continue
		}
		if g.role == raft.StateLeader {
			g.node.ReportUnreachable(m.Replica)
			g.keepFrom(m.Replica)
		} else if m.Replica == g.lead || g.lead == raft.None { // who has just started may not know that this one led
			// Else the leader's lease refuses everybody's vote for an election time.
			_ = g.node.ForgetLeader()
			g.campaign(firstCampaign, node)
			g.w.touch(g)
		}
	}
}

// campaignFirst is for the start: a sole voter needs to wait for nobody.
func (g *group) campaignFirst() {
	delay := startCampaign
	if len(g.desc.GetVoters()) == 1 && len(g.desc.GetVotersOutgoing()) == 0 {
		delay = 0
	}
	g.campaign(delay, "")
}

// campaign plans a campaign, as the shard's order of nodes says, without the
// one that is gone.
func (g *group) campaign(delay time.Duration, without storage.NodeID) {
	if g.w.withheld || !slices.Contains(g.desc.GetVoters(), uint64(g.id)) {
		return
	}
	rank, own := 0, storage.Rank(g.shard, g.w.node)
	for _, m := range g.desc.GetMembers() {
		node := storage.NodeID(m.Node)
		if node != without && node != g.w.node && slices.Contains(g.desc.GetVoters(), m.Replica) && storage.Rank(g.shard, node) < own {
			rank++
		}
	}
	if g.campaignAt == 0 {
		g.w.campaigns = append(g.w.campaigns, g)
	}
	g.campaignAt, g.attempts = max(1, g.w.now+delay+time.Duration(rank)*campaignGap), 0
}

// campaignStop forgets a planned campaign: there is a leader.
func (g *group) campaignStop() {
	if g.campaignAt != 0 {
		g.campaignAt = 0
		g.w.campaigns = slices.DeleteFunc(g.w.campaigns, func(x *group) bool { return x == g })
	}
}

// rival sees another candidate: it gives way, unless the other cannot win its
// vote, as its log ends before the own one. Then waiting would be in vain.
func (g *group) rival(m *pb.Message) {
	if g.campaignAt == 0 {
		return
	}
	term, err := g.log.Term(g.log.last)
	if err == nil && (m.GetLogTerm() < term || m.GetLogTerm() == term && m.GetIndex() < g.log.last) {
		g.campaignAt = min(g.campaignAt, g.w.now+firstCampaign)
		return
	}
	g.campaignAt = max(g.campaignAt, g.w.now+campaignGap)
}

// tellCommitted is what a replica that was a voter owes those who ask for its vote:
// they do not know of its removal yet, or that it became a learner. It may have
// to refuse them, for entries after the change that a leader sent and lost in a
// crash before its own disk had them, and cannot stand itself; then the shard
// would wait for ever.
func (g *group) tellCommitted(m *peerpb.Message) {
	id := uint64(g.id)
	if g.desc.GetVersion() == 0 || slices.Contains(g.desc.GetVoters(), id) || slices.Contains(g.desc.GetVotersOutgoing(), id) {
		return
	}
	node, ok := g.nodeOf(m.From)
	if !ok {
		return
	}
	g.w.controlMessages = append(g.w.controlMessages, Outgoing{To: node, Message: &peerpb.Message{
		Shard: m.Shard, Kind: peerpb.Kind_KIND_COMMITTED, To: m.From, From: m.To, Index: g.applied.Index, LogTerm: uint64(g.applied.Term),
	}})
}

// takeCommitted takes a former voter's word that an entry which this log holds is
// committed: that stays true whatever happens. Raft has no way to be told, but
// starts from what is committed, and a start is always safe.
func (g *group) takeCommitted(p storage.Position) {
	status := g.node.BasicStatus()
	if status.RaftState == raft.StateLeader || g.staged != nil || p.Index <= status.HardState.GetCommit() || p.Index > g.log.last {
		return
	}
	if term, err := g.log.Term(p.Index); err != nil || term != uint64(p.Term) {
		return
	}
	g.log.hard.Commit, g.log.conf = p.Index, confState(g.desc)
	if err := g.openRaft(); err != nil {
		panic(fmt.Sprintf("round: %v: %v", g, err)) // it did open over this log before
	}
	g.role, g.lead = raft.StateFollower, raft.None
	g.campaign(0, "")
	g.w.touch(g)
}

// campaignDue starts the campaigns whose time has come.
func (w *Worker) campaignDue() {
	for _, g := range slices.Clone(w.campaigns) {
		if g.campaignAt > w.now {
			continue
		}
		if g.attempts++; g.attempts > maxCampaigns {
			g.campaignStop()
			continue
		}
		g.campaignAt = w.now + campaignAgain
		_ = g.node.Campaign()
		w.touch(g)
	}
}

func (g *group) leads() bool { return g.node.BasicStatus().RaftState == raft.StateLeader }

func isVoteRequest(t pb.MessageType) bool { return t == pb.MsgPreVote || t == pb.MsgVote }
