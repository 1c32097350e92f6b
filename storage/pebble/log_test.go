package pebble_test

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/storage"
	"github.com/parley-im/parley/storage/pebble"
)

// ledger is shard 1 after some commits, as it must be read after a cut.
type ledger struct {
	base, last uint64
	terms      map[uint64]storage.Term
	hard       storage.HardState
	name       string
}

// data is an entry's, so large that commits reach the disk before they are
// synced.
func data(index uint64) []byte { return bytes.Repeat(fmt.Appendf(nil, "%08d", index), 250) }

// write makes the i-th commit of a run, each another mix of what a batch may
// hold, and says in next what the store holds then.
func (next *ledger) write(b storage.Batch, i uint64) {
	term := storage.Term(i)
	appended := func(from, to uint64) {
		var entries []storage.LogEntry
		for at := from; at <= to; at++ {
			entries = append(entries, storage.LogEntry{Position: storage.Position{Index: at, Term: term}, Data: data(at)})
			next.terms[at] = term
		}
		b.Append(1, entries)
		next.last = to
	}
	if i == 1 {
		b.Create(1, 3, storage.Applied{Position: storage.Position{Index: 1, Term: 1}})
		next.base, next.last, next.terms = 1, 1, map[uint64]storage.Term{}
	}
	appended(next.last+1, next.last+4)
	if i%3 == 0 { // replaces an end, and leaves a shorter log
		appended(next.last-3, next.last-2)
	}
	if i%4 == 0 {
		next.base = next.last - 5
		b.SetApplied(1, storage.Applied{Position: storage.Position{Index: next.base, Term: next.terms[next.base]}})
		b.Truncate(1, storage.Position{Index: next.base, Term: next.terms[next.base]})
	}
	next.hard = storage.HardState{Term: term, Vote: storage.ReplicaID(i)}
	b.SetHardState(1, next.hard)
	next.name = fmt.Sprint("commit ", i)
	b.State(1).Users.Put(chat.UserKey{App: 1, ID: "ann"}, chat.User{Name: next.name})
}

func (l *ledger) copy() *ledger {
	c := *l
	c.terms = make(map[uint64]storage.Term, len(l.terms))
	for k, v := range l.terms {
		c.terms[k] = v
	}
	return &c
}

// is says how the store differs from the ledger; nil when it does not.
func (l *ledger) is(s *pebble.Store) error {
	r, err := s.Replica(1)
	if err != nil {
		return err
	}
	if r.Base.Index != l.base || r.Last != l.last || r.Term != l.hard.Term || r.Vote != l.hard.Vote {
		return fmt.Errorf("the replica is %+v, want %+v", r, l)
	}
	v, err := s.View(1)
	if err != nil {
		return err
	}
	u, _, err := v.User(chat.UserKey{App: 1, ID: "ann"})
	if err = errors.Join(err, v.Close()); err != nil || u.Name != l.name {
		return fmt.Errorf("the rows are of %q, %w, want %q", u.Name, err, l.name)
	}
	if l.base == l.last {
		return nil
	}
	log, err := s.Log(1, l.base+1, l.last+1, math.MaxInt)
	if err != nil || uint64(len(log)) != l.last-l.base {
		return fmt.Errorf("%d entries, %w, want %d", len(log), err, l.last-l.base)
	}
	for i, e := range log {
		if at := l.base + 1 + uint64(i); e.Index != at || e.Term != l.terms[at] || !bytes.Equal(e.Data, data(at)) {
			return fmt.Errorf("entry %d is %+v, want term %d", at, e, l.terms[at])
		}
	}
	return nil
}

// TestACutTakesAnEndOfTheUnsyncedCommits cuts the power at every operation of a
// run of commits, synced and not: what is left is all that was synced and the
// first few of the commits after it, each of them whole.
func TestACutTakesAnEndOfTheUnsyncedCommits(t *testing.T) {
	const commits = 64
	states := []*ledger{{}}
	whole := openOn(t, vfs.NewMem())
	for i := uint64(1); i <= commits; i++ {
		next := states[i-1].copy()
		b := whole.Batch()
		next.write(b, i)
		if err := errors.Join(b.Commit(true), next.is(whole)); err != nil {
			t.Fatal(err)
		}
		states = append(states, next)
	}
	if err := whole.Close(); err != nil {
		t.Fatal(err)
	}
	var synced, begun int // what the run that is cut had reached
	kept := map[int]int{}
	cuts := crash(t, func(*pebble.Store) {},
		func(s *pebble.Store, dark func() bool) error {
			synced, begun = 0, 0
			for i := 1; i <= commits; i++ {
				if !dark() {
					begun = i
				}
				b := s.Batch()
				states[i-1].copy().write(b, uint64(i))
				if err := b.Commit(i%16 == 0); err != nil {
					return err
				}
				if i%16 == 0 && !dark() {
					synced = i
				}
			}
			return nil
		},
		func(cut int64, s *pebble.Store) {
			for i := synced; i <= begun; i++ {
				if states[i].is(s) == nil {
					kept[i-synced]++
					return
				}
			}
			r, _ := s.Replica(1)
			t.Errorf("cut at %d: of %d commits %d were synced; the replica is %+v", cut, begun, synced, r)
		})
	t.Logf("%d cuts, kept beyond the synced ones: %v", cuts, kept)
	if kept[0] == 0 || len(kept) < 2 {
		t.Error("the cuts do not lie around the commits")
	}
}

// TestASyncedCommitOfNothingMakesEarlierCommitsDurable: whoever wants all that
// was written on the disk commits an empty batch.
func TestASyncedCommitOfNothingMakesEarlierCommitsDurable(t *testing.T) {
	for seed := range uint64(20) {
		mem := vfs.NewCrashableMem()
		s := openOn(t, mem)
		b := s.Batch()
		b.Create(1, 3, storage.Applied{Position: storage.Position{Index: 1, Term: 1}})
		if err := errors.Join(b.Commit(false), s.Batch().Commit(true)); err != nil {
			t.Fatal(err)
		}
		survived := mem.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: 0, RNG: rand.New(rand.NewPCG(seed, 1))})
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		s = openOn(t, survived)
		if r, err := s.Replica(1); err != nil || r.ID != 3 {
			t.Errorf("after the cut the replica is %+v, %v", r, err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
