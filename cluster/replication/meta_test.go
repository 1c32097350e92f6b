package replication_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/cluster/replication"
	"github.com/parley-im/parley/storage"
	"github.com/parley-im/parley/storage/memory"
)

func TestTheMetaDocumentIsReplacedOnlyWhenItIsAsExpected(t *testing.T) {
	s := memory.New(4, "n1")
	h, _ := run(t, s)
	if d, err := h.Meta(t.Context()); err != nil || d.Version != 0 || len(d.Content) != 0 {
		t.Errorf("a new cluster's document is %+v, %v", d, err)
	}
	if err := h.SetMeta(t.Context(), 0, []byte("one")); err != nil {
		t.Fatal(err)
	}
	for _, expect := range []uint64{0, 2} {
		if err := h.SetMeta(t.Context(), expect, []byte("wrong")); !errors.Is(err, storage.ErrConflict) {
			t.Errorf("expecting version %d of 1: %v", expect, err)
		}
	}
	if err := h.SetMeta(t.Context(), 1, make([]byte, replication.MaxMeta+1)); chat.CodeOf(err) != chat.CodeInvalidParam {
		t.Errorf("too large: %v", err)
	}
	if err := h.SetMeta(t.Context(), 1, make([]byte, replication.MaxMeta)); err != nil {
		t.Errorf("as large as allowed: %v", err)
	}
	if d, err := h.Meta(t.Context()); err != nil || d.Version != 2 || len(d.Content) != replication.MaxMeta {
		t.Errorf("version %d of %d bytes, %v", d.Version, len(d.Content), err)
	}
	if got := h.Stats(); got.Leading != 4 || h.Shards() != 4 {
		t.Errorf("leads %d of %d shards, the meta shard is none of them", got.Leading, h.Shards())
	}
	if err := h.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{h.SetMeta(t.Context(), 2, nil), justErr(h.Meta(t.Context()))} {
		if chat.CodeOf(err) != chat.CodeUnavailable {
			t.Errorf("closed: %v", err)
		}
	}
	h, _ = run(t, s)
	if d, err := h.Meta(t.Context()); err != nil || d.Version != 2 {
		t.Errorf("after a restart: version %d, %v", d.Version, err)
	}
}

func justErr[T any](_ T, err error) error { return err }

func TestAnUnknownOutcomeOfTheMetaDocumentIsATimeout(t *testing.T) {
	s := newGated()
	h, _ := run(t, s)
	s.shut.Store(true)
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-s.begun
		cancel()
	}()
	if err := h.SetMeta(ctx, 0, nil); chat.CodeOf(err) != chat.CodeTimeout {
		t.Errorf("%v, want outcome unknown", err)
	}
	s.shut.Store(false)
	s.leave <- nil
}

func TestOfManyWhoChangeTheMetaDocumentEachSucceedsOnItsOwnVersion(t *testing.T) {
	h, _ := run(t, memory.New(4, "n1"))
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for done := 0; done < 25; {
				d, err := h.Meta(t.Context())
				if err != nil {
					t.Error(err)
					return
				}
				switch err := h.SetMeta(t.Context(), d.Version, append(d.Content, 'x')); {
				case err == nil:
					done++
				case !errors.Is(err, storage.ErrConflict):
					t.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
	if d, err := h.Meta(t.Context()); err != nil || d.Version != 100 || len(d.Content) != 100 {
		t.Errorf("after 100 changes: version %d, %d bytes, %v", d.Version, len(d.Content), err)
	}
}

func TestWhatIsLedIsListed(t *testing.T) {
	h, _ := run(t, memory.New(4, "n1"))
	led, err := h.Led(t.Context())
	if err != nil || len(led) != 5 {
		t.Fatalf("%+v, %v", led, err)
	}
	for i, l := range led {
		term, _ := h.Leader(storage.ShardID(i))
		if l.Shard != storage.ShardID(i) || l.Term != term || l.Applied < 2 || len(l.Followers) != 0 || len(l.Descriptor.Voters) != 1 {
			t.Errorf("shard %d is %+v", i, l)
		}
	}
}

func TestATargetThatMakesNoSenseIsRefused(t *testing.T) {
	h, _ := run(t, memory.New(4, "n1"))
	for name, target := range map[string]replication.Target{
		"no voter": {Learners: []storage.NodeID{"n1"}},
		"doubled":  {Voters: []storage.NodeID{"n1", "n2", "n1"}},
		"in both":  {Voters: []storage.NodeID{"n1"}, Learners: []storage.NodeID{"n1"}},
	} {
		if err := h.Reshape(t.Context(), 1, target); chat.CodeOf(err) != chat.CodeInvalidParam {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := h.Reshape(t.Context(), 9, replication.Target{Voters: []storage.NodeID{"n1"}}); chat.CodeOf(err) != chat.CodeInvalidParam {
		t.Errorf("no such shard: %v", err)
	}
	if err := h.Reshape(t.Context(), 1, replication.Target{Voters: []storage.NodeID{"n1"}}); err != nil {
		t.Errorf("as it is: %v", err)
	}
}

func TestALaterTargetSupersedesAnEarlierOne(t *testing.T) {
	h, _ := run(t, memory.New(4, "n1"))
	earlier := make(chan error, 1)
	go func() { // n2 will never catch up
		earlier <- h.Reshape(t.Context(), 1, replication.Target{Voters: []storage.NodeID{"n1", "n2"}})
	}()
	for {
		d, err := h.Descriptor(t.Context(), 1)
		if err != nil {
			t.Fatal(err)
		}
		if len(d.Learners) == 1 {
			break
		}
	}
	if err := h.Reshape(t.Context(), 1, replication.Target{Voters: []storage.NodeID{"n1"}}); err != nil {
		t.Error(err)
	}
	if err := <-earlier; chat.CodeOf(err) != chat.CodeBusy {
		t.Errorf("the earlier one: %v", err)
	}
	if d, err := h.Descriptor(t.Context(), 1); err != nil || len(d.Members) != 1 {
		t.Errorf("%+v, %v", d, err)
	}
	expired, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if err := h.Reshape(expired, 1, replication.Target{Voters: []storage.NodeID{"n2"}}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a target that cannot be reached: %v", err)
	}
}
