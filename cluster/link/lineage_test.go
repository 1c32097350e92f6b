package link_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/parley-im/parley/cluster/lineage"
	"github.com/parley-im/parley/cluster/link"
	"github.com/parley-im/parley/storage"
	"github.com/parley-im/parley/storage/memory"
)

// keeper begins a start of a node over a store, and what it hears of its age.
func keeper(t *testing.T, store *memory.Store, number uint64) (*lineage.Keeper, chan error) {
	t.Helper()
	outdated := make(chan error, 100)
	k, err := lineage.Open(store, number, func(err error) { outdated <- err })
	if err != nil {
		t.Fatal(err)
	}
	return k, outdated
}

func with(k *lineage.Keeper) func(*link.Options) {
	return func(o *link.Options) { o.Lineage = k }
}

// The lower ID dials, so that either side is the one with the older copy.
func TestAnOlderCopyIsRefusedAndHearsWhy(t *testing.T) {
	t.Parallel()
	for _, copied := range []storage.NodeID{"a", "z"} {
		t.Run(string(copied), func(t *testing.T) {
			t.Parallel()
			other, store := memory.New(1, "m"), memory.New(1, copied)
			older := store.Copy()
			knows, wrong := keeper(t, other, 1)
			later, _ := keeper(t, store, 2)
			if err := knows.Judge(copied, later.Hello()); err != nil {
				t.Fatal(err)
			}
			stale, outdated := keeper(t, older, 3)

			m, n := start(t, "m", with(knows)), start(t, copied, with(stale))
			m.SetPeer(copied, n.addr)
			n.SetPeer("m", m.addr)
			if err := wait(t, outdated); !errors.Is(err, storage.ErrOutdated) || !strings.Contains(err.Error(), "says node m") {
				t.Errorf("told %v", err)
			}
			if err := n.Greet(context.Background(), "m"); err == nil {
				t.Error("the older copy is greeted")
			}
			for _, one := range []*node{m, n} {
				select {
				case e := <-one.events:
					t.Errorf("%s saw %+v", one.id, e)
				default:
				}
			}
			if len(wrong) > 0 {
				t.Errorf("the other node was told %v", <-wrong)
			}
		})
	}
}

func TestAGreetingIsNoConnection(t *testing.T) {
	t.Parallel()
	ours, _ := keeper(t, memory.New(1, "z"), 1)
	theirs, _ := keeper(t, memory.New(1, "m"), 2)
	z, m := start(t, "z", with(ours)), start(t, "m", with(theirs))
	z.SetPeer("m", m.addr)
	if err := z.Greet(context.Background(), "m"); err == nil { // which does not know it yet
		t.Error("a stranger is greeted")
	}
	m.SetPeer("z", "127.0.0.1:1")
	if err := z.Greet(context.Background(), "m"); err != nil { // against the order of dialing
		t.Error(err)
	}
	if len(theirs.Hello().Seen) != 1 || len(ours.Hello().Seen) != 1 {
		t.Errorf("they remember %v and %v", theirs.Hello().Seen, ours.Hello().Seen)
	}
	if len(z.events)+len(m.events) > 0 {
		t.Error("a greeting counts as a connection")
	}
	if err := z.Greet(context.Background(), "x"); !errors.Is(err, link.ErrUnknownPeer) {
		t.Errorf("an unknown peer gives %v", err)
	}
}
