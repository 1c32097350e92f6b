package round

import (
	"fmt"

	pb "go.etcd.io/raft/v3/raftpb"

	"github.com/parley-im/parley/proto/logpb"
	"github.com/parley-im/parley/proto/peerpb"
	"github.com/parley-im/parley/storage"
)

func fromRaftEntry(e *pb.Entry) storage.LogEntry {
	return storage.LogEntry{
		Position: storage.Position{Index: e.GetIndex(), Term: storage.Term(e.GetTerm())}, Kind: uint8(e.GetType()), Data: e.Data,
	}
}

func toRaftEntry(e storage.LogEntry) *pb.Entry {
	return &pb.Entry{Index: new(e.Index), Term: new(uint64(e.Term)), Type: pb.EntryType(e.Kind).Enum(), Data: e.Data}
}

// fromRaft makes a message that travels; entries' data are shared.
func fromRaft(shard storage.ShardID, m *pb.Message) *peerpb.Message {
	out := &peerpb.Message{
		Shard: uint32(shard), Kind: peerpb.Kind_KIND_RAFT, Type: uint32(m.GetType()), To: m.GetTo(), From: m.GetFrom(), Term: m.GetTerm(),
		LogTerm: m.GetLogTerm(), Index: m.GetIndex(), Commit: m.GetCommit(), Reject: m.GetReject(), RejectHint: m.GetRejectHint(), Context: m.Context,
	}
	if len(m.Entries) > 0 {
		all := make([]peerpb.Entry, len(m.Entries))
		out.Entries = make([]*peerpb.Entry, len(m.Entries))
		for i, e := range m.Entries {
			all[i].Index, all[i].Term, all[i].Kind, all[i].Data = e.GetIndex(), e.GetTerm(), uint32(e.GetType()), e.Data
			out.Entries[i] = &all[i]
		}
	}
	return out
}

// toRaft reads what travelled.
func toRaft(m *peerpb.Message) (*pb.Message, error) {
	out := &pb.Message{
		Type: pb.MessageType(m.Type).Enum(), To: new(m.To), From: new(m.From), Term: new(m.Term), LogTerm: new(m.LogTerm), Index: new(m.Index),
		Commit: new(m.Commit), Reject: new(m.Reject), RejectHint: new(m.RejectHint), Context: m.Context,
	}
	if len(m.Entries) > 0 {
		out.Entries = make([]*pb.Entry, len(m.Entries))
		for i, e := range m.Entries {
			out.Entries[i] = &pb.Entry{Index: new(e.Index), Term: new(e.Term), Type: pb.EntryType(e.Kind).Enum(), Data: e.Data}
		}
	}
	if s := m.Snapshot; s != nil {
		d, err := decodeDescriptor(s.Descriptor_)
		if err != nil {
			return nil, err
		}
		out.Snapshot = &pb.Snapshot{Metadata: &pb.SnapshotMetadata{Index: new(s.Index), Term: new(s.Term), ConfState: confState(d)}}
	}
	return out, nil
}

// confState is a descriptor as Raft sees it.
func confState(d *logpb.Descriptor) *pb.ConfState {
	return &pb.ConfState{
		Voters: d.GetVoters(), Learners: d.GetLearners(), VotersOutgoing: d.GetVotersOutgoing(), LearnersNext: d.GetLearnersNext(),
		AutoLeave: new(d.GetAutoLeave()),
	}
}

func decodeDescriptor(data []byte) (*logpb.Descriptor, error) {
	d := &logpb.Descriptor{}
	if err := d.UnmarshalVT(data); err != nil {
		return nil, fmt.Errorf("descriptor: %w", err)
	}
	return d, nil
}

// encode cannot fail: the messages hold nothing that is not UTF-8 or too long.
func encode(m interface{ MarshalVT() ([]byte, error) }) []byte {
	data, err := m.MarshalVT()
	if err != nil {
		panic(fmt.Sprintf("round: %v", err))
	}
	return data
}
