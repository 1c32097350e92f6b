// Package memory is a model disk: a storage.Store in maps that loses what was
// not synced, as a power cut would. Tests and the simulator run the real state
// machine over it, exactly replayable; nothing here outlives the process.
package memory

import (
	"slices"
	"sync"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/storage"
)

// Store is a storage.Store in memory. Views and batches may be used from
// different goroutines.
type Store struct {
	// TearInstall is a bug to be found by the simulator: Install deletes first
	// and brings the contents as an unsynced commit.
	TearInstall bool

	mu     sync.RWMutex
	node   storage.NodeID
	count  int
	shards []*shard
	line   []byte
	undo   []func() // brings back what each unsynced commit changed
}

var _ storage.Store = (*Store)(nil)

// New makes an empty store for S shards.
func New(shards int, node storage.NodeID) *Store {
	s := &Store{node: node, count: shards, shards: make([]*shard, shards+1)}
	for i := range s.shards {
		s.shards[i] = newShard(s, storage.ShardID(i))
	}
	return s
}

// Node implements storage.Store.
func (s *Store) Node() storage.NodeID { return s.node }

// Lineage implements storage.Store.
func (s *Store) Lineage() ([]byte, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.line, nil
}

// SetLineage implements storage.Store.
func (s *Store) SetLineage(lineage []byte, sync bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	before := s.line
	s.line = slices.Clone(lineage)
	if sync {
		s.undo = nil
	} else {
		s.undo = append(s.undo, func() { s.line = before })
	}
	return nil
}

// Close implements storage.Store. The store may be used again, as a disk may
// after a restart.
func (s *Store) Close() error { return nil }

// Crash is the power cut: open batches are lost, and of the unsynced commits
// all but the first few that lose says to keep, given how many there are.
func (s *Store) Crash(lose func(unsynced int) (kept int)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	kept := lose(len(s.undo))
	for _, undo := range slices.Backward(s.undo[kept:]) {
		undo()
	}
	s.undo = nil
	for _, sh := range s.shards {
		sh.discard()
	}
}

// Copy is the store as another disk: all that is committed, synced or not, as a
// copy of the files has it.
func (s *Store) Copy() *Store {
	s.mu.RLock()
	defer s.mu.RUnlock()
	c := &Store{TearInstall: s.TearInstall, node: s.node, count: s.count, line: s.line}
	for _, sh := range s.shards {
		c.shards = append(c.shards, &shard{
			store: c, id: sh.id, tables: sh.tables.clone(), replica: sh.replica, log: slices.Clone(sh.log), generation: sh.generation,
		})
	}
	return c
}

// Replicas implements storage.Store.
func (s *Store) Replicas() ([]storage.ShardID, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var out []storage.ShardID
	for _, sh := range s.shards {
		if sh.replica.ID != 0 && !sh.replica.Removed {
			out = append(out, sh.id)
		}
	}
	return out, nil
}

// Replica implements storage.Store.
func (s *Store) Replica(id storage.ShardID) (storage.Replica, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	r := s.shards[id].replica
	r.Commit = max(r.Applied.Index, min(r.Commit, r.Last))
	return r, nil
}

// Log implements storage.Store.
func (s *Store) Log(id storage.ShardID, from, to uint64, maxBytes int) ([]storage.LogEntry, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	sh := s.shards[id]
	if from <= sh.replica.Base.Index {
		return nil, storage.ErrTruncated
	}
	if from >= to || to > sh.replica.Last+1 {
		return nil, storage.ErrNoEntry
	}
	first := sh.replica.Base.Index + 1
	n, bytes := from, 0
	for ; n < to; n++ {
		if bytes += len(sh.log[n-first].Data); bytes > maxBytes && n > from {
			break
		}
	}
	return slices.Clone(sh.log[from-first : n-first]), nil
}

// batch gathers writes: rows in the shards' pending tables, the rest as changes
// that run at the commit.
type batch struct {
	store   *Store
	touched []*shard
	changes []func()
}

// Batch implements storage.Store.
func (s *Store) Batch() storage.Batch { return &batch{store: s} }

func (b *batch) shard(id storage.ShardID) *shard {
	sh := b.store.shards[id]
	if sh.batch != b {
		if sh.batch != nil {
			panic("memory: two open batches touch a shard")
		}
		sh.batch = b
		b.touched = append(b.touched, sh)
	}
	return sh
}

// State implements storage.Batch.
func (b *batch) State(id storage.ShardID) *chat.State {
	sh := b.shard(id)
	return sh.state(b.store.count)
}

// Document implements storage.Batch.
func (b *batch) Document(id storage.ShardID) storage.Document {
	d, _ := b.shard(id).documents.Get(onlyKey{})
	return d
}

// SetDocument implements storage.Batch.
func (b *batch) SetDocument(id storage.ShardID, d storage.Document) {
	b.shard(id).documents.Put(onlyKey{}, d)
}

// Err implements storage.Batch.
func (b *batch) Err() error { return nil }

// change queues a change of a replica for the commit.
func (b *batch) change(id storage.ShardID, f func(sh *shard)) {
	sh := b.shard(id)
	b.changes = append(b.changes, func() { f(sh) })
}

// Create implements storage.Batch.
func (b *batch) Create(id storage.ShardID, replica storage.ReplicaID, a storage.Applied) {
	b.change(id, func(sh *shard) {
		sh.replica = storage.Replica{ID: replica, Applied: a, Base: a.Position, Last: a.Index}
		sh.log = nil
	})
}

// Append implements storage.Batch.
func (b *batch) Append(id storage.ShardID, entries []storage.LogEntry) {
	b.change(id, func(sh *shard) {
		at := int(entries[0].Index - sh.replica.Base.Index - 1)
		if at < len(sh.log) { // what an undo brings back must stay
			sh.log = slices.Clone(sh.log[:at])
		}
		sh.log = append(sh.log, entries...)
		sh.replica.Last = entries[len(entries)-1].Index
	})
}

// SetHardState implements storage.Batch.
func (b *batch) SetHardState(id storage.ShardID, h storage.HardState) {
	b.change(id, func(sh *shard) { sh.replica.HardState = h })
}

// SetApplied implements storage.Batch.
func (b *batch) SetApplied(id storage.ShardID, a storage.Applied) {
	b.change(id, func(sh *shard) { sh.replica.Applied = a })
}

// Truncate implements storage.Batch.
func (b *batch) Truncate(id storage.ShardID, base storage.Position) {
	b.change(id, func(sh *shard) {
		sh.log = sh.log[base.Index-sh.replica.Base.Index:]
		sh.replica.Base = base
	})
}

// Commit implements storage.Batch.
func (b *batch) Commit(sync bool) error {
	s := b.store
	s.mu.Lock()
	defer s.mu.Unlock()
	var undo []func()
	for _, sh := range b.touched {
		undo = append(undo, sh.restore())
		for _, t := range sh.all {
			if f := t.commit(); f != nil {
				undo = append(undo, f)
			}
		}
		sh.batch = nil
	}
	for _, change := range b.changes {
		change()
	}
	if sync {
		s.undo = nil
	} else {
		s.undo = append(s.undo, func() {
			for _, f := range undo {
				f()
			}
		})
	}
	return nil
}

// restore gives what brings the replica back as it is at this moment.
func (sh *shard) restore() func() {
	replica, log, generation := sh.replica, sh.log, sh.generation
	return func() {
		if sh.generation == generation {
			sh.replica, sh.log = replica, log
			return
		}
		// The contents were installed, durably: only what lies outside goes back.
		sh.replica.ID, sh.replica.Removed, sh.replica.HardState = replica.ID, replica.Removed, replica.HardState
	}
}

// Discard implements storage.Batch.
func (b *batch) Discard() {
	for _, sh := range b.touched {
		sh.discard()
		sh.batch = nil
	}
}

// discard drops the pending rows.
func (sh *shard) discard() {
	for _, t := range sh.all {
		t.discard()
	}
	sh.batch = nil
}
