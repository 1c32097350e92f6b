package replication_test

import (
	"context"
	"testing"
	"time"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/cluster/replication"
	"github.com/parley-im/parley/proto/logpb"
	"github.com/parley-im/parley/storage"
	"github.com/parley-im/parley/storage/memory"
)

// versioned starts a host that is alone, whose cluster has agreed on a version.
func versioned(t *testing.T, s storage.Store, version uint32) *replication.Host {
	t.Helper()
	gained := make(chan struct{}, 2)
	h, err := replication.New(replication.Options{
		Store: s, Shards: 1, Voters: []storage.NodeID{s.Node()}, Now: time.Now, Version: func() uint32 { return version },
		Fatal:  func(err error) { t.Errorf("fatal: %v", err) },
		Gained: func(storage.ShardID, storage.Term) { gained <- struct{}{} },
	})
	if err != nil {
		t.Fatal(err)
	}
	h.Start()
	<-gained
	<-gained
	t.Cleanup(func() {
		if err := h.Close(context.Background()); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return h
}

func TestACommandThatIsNewerThanTheClusterIsRefused(t *testing.T) {
	s := memory.New(1, "n")
	h := versioned(t, s, 0)
	before, _ := s.Replica(1)
	if a := <-propose(h, 1, 1); chat.CodeOf(a.err) != chat.CodeUnsupported {
		t.Errorf("a command that older nodes cannot apply gets %v", a.err)
	}
	if after, _ := s.Replica(1); after.Applied.Index != before.Applied.Index {
		t.Error("it stands in the log")
	}
}

func TestProposalsCarryTheVersionThatTheClusterAgreedOn(t *testing.T) {
	const agreed = 7
	s := memory.New(1, "n")
	h := versioned(t, s, agreed)
	term, _ := h.Leader(1)
	done := make(chan error, 1)
	h.Propose(1, term, nil, func(_ storage.Outcome, err error) { done <- err })
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	r, err := s.Replica(1)
	if err != nil {
		t.Fatal(err)
	}
	entries, err := s.Log(1, r.Applied.Index, r.Applied.Index+1, 1<<20)
	if err != nil || len(entries) != 1 {
		t.Fatal(entries, err)
	}
	var p logpb.Proposal
	if err := p.UnmarshalVT(entries[0].Data); err != nil || p.Version != agreed {
		t.Errorf("the proposal has version %d, want %d: %v", p.Version, agreed, err)
	}
}
