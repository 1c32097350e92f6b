// Package memory is a model disk: a storage.Store in maps that loses exactly
// what was not committed. Tests and the simulator run the real state machine
// over it, exactly replayable; nothing here outlives the process.
package memory

import (
	"sync"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/storage"
)

// Store is a storage.Store in memory. Views and batches may be used from
// different goroutines.
type Store struct {
	mu     sync.RWMutex
	shards map[storage.ShardID]*shard
	count  int
	term   storage.Term
	open   bool
}

var _ storage.Store = (*Store)(nil)

// New makes an empty store for S shards.
func New(shards int) *Store {
	return &Store{shards: make(map[storage.ShardID]*shard), count: shards}
}

// NextTerm implements storage.Store.
func (s *Store) NextTerm() (storage.Term, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.term++
	return s.term, nil
}

// Close implements storage.Store. The store may be used again, as a disk may
// after a restart.
func (s *Store) Close() error { return nil }

// Crash loses what the open batch, if any, has not committed: the power cut.
func (s *Store) Crash() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, sh := range s.shards {
		sh.settle(false)
	}
	s.open = false
}

func (s *Store) shard(id storage.ShardID) *shard {
	s.mu.Lock()
	defer s.mu.Unlock()
	sh := s.shards[id]
	if sh == nil {
		sh = newShard(s, id)
		s.shards[id] = sh
	}
	return sh
}

type batch struct {
	store   *Store
	touched map[*shard]bool
}

// Batch implements storage.Store.
func (s *Store) Batch() storage.Batch {
	if s.open {
		panic("memory: a batch is open already")
	}
	s.open = true
	return &batch{store: s, touched: make(map[*shard]bool)}
}

// State implements storage.Batch.
func (b *batch) State(id storage.ShardID) chat.State {
	sh := b.store.shard(id)
	b.touched[sh] = true
	return sh
}

// Commit implements storage.Batch.
func (b *batch) Commit() error {
	b.settle(true)
	return nil
}

// Discard implements storage.Batch.
func (b *batch) Discard() { b.settle(false) }

func (b *batch) settle(keep bool) {
	b.store.mu.Lock()
	defer b.store.mu.Unlock()
	for sh := range b.touched {
		sh.settle(keep)
	}
	b.store.open = false
}
