package sim

import (
	pb "go.etcd.io/raft/v3/raftpb"

	"github.com/parley-im/parley/proto/peerpb"
	"github.com/parley-im/parley/storage"
)

// promise is what a replica has told others, which its disk must remember.
type promise struct {
	replica storage.ReplicaID
	term    storage.Term      // the highest that it has spoken in
	vote    storage.ReplicaID // whom it gave its vote in that term
	matched uint64            // entries that it said it has in that term
}

// promise notes what a message promises.
func (n *node) promise(m *peerpb.Message) {
	if m.Kind != peerpb.Kind_KIND_RAFT {
		return
	}
	p, term := &n.promises[m.Shard], storage.Term(m.Term)
	if id := storage.ReplicaID(m.From); id != p.replica {
		*p = promise{replica: id}
	}
	t := pb.MessageType(m.Type)
	if t == pb.MsgPreVote || t == pb.MsgPreVoteResp || t == pb.MsgApp { // in a future term; before the fsync
		return
	}
	if term > p.term {
		p.term, p.vote, p.matched = term, 0, 0
	}
	switch {
	case term < p.term || m.Reject:
	case t == pb.MsgVote:
		p.vote = storage.ReplicaID(m.From)
	case t == pb.MsgVoteResp:
		p.vote = storage.ReplicaID(m.To)
	case t == pb.MsgAppResp:
		p.matched = max(p.matched, m.Index)
	}
}

// checkPromises checks a disk as a start finds it.
func (n *node) checkPromises() {
	if n.run.o.Plant != NoPlant { // found by what it leads to, not by its cause
		return
	}
	for i := range n.promises[1:] {
		s, p := storage.ShardID(i+1), n.promises[i+1]
		rep := n.replicaOf(s)
		if rep.Removed || rep.ID > p.replica {
			continue
		}
		if rep.ID < p.replica || rep.Term < p.term || rep.Term == p.term && (p.vote != 0 && rep.Vote != p.vote || rep.Last < p.matched) {
			n.run.violate("n%d shard %d forgot what it promised: %+v, the disk has %+v", n.number, s, p, rep)
		}
	}
}
