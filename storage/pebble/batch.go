package pebble

import (
	"github.com/cockroachdb/pebble/v2"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/storage"
)

// batch gathers the writes of many shards. The states behind it outlive it:
// they cache what the next batch will ask for.
type batch struct {
	store   *Store
	out     *pebble.Batch
	touched []*state
	err     error // first failure of a state's read or write
}

// Batch implements storage.Store.
func (s *Store) Batch() storage.Batch {
	if s.open {
		panic("pebble: a batch is open already")
	}
	s.open = true
	return &batch{store: s, out: s.db.NewBatch()}
}

// State implements storage.Batch.
func (b *batch) State(shard storage.ShardID) chat.State {
	st := b.store.states[shard]
	if st == nil {
		st = newState(b.store, shard)
		b.store.states[shard] = st
	}
	if st.batch == nil {
		st.batch = b
		b.touched = append(b.touched, st)
	}
	return st
}

// Commit implements storage.Batch.
func (b *batch) Commit() error {
	for _, st := range b.touched {
		st.flush()
	}
	err := b.err
	if err == nil && !b.out.Empty() {
		if err = b.out.Commit(pebble.Sync); err == nil {
			err = b.store.durable.advance(b.store.db)
		}
	}
	if err != nil {
		b.Discard()
		return err
	}
	for _, st := range b.touched {
		st.committed()
	}
	return b.close()
}

// Discard implements storage.Batch.
func (b *batch) Discard() {
	for _, st := range b.touched {
		delete(b.store.states, st.shard) // its cache is ahead of the disk
	}
	_ = b.close()
}

func (b *batch) close() error {
	b.store.open = false
	return b.out.Close()
}

func (b *batch) fail(err error) {
	if b.err == nil {
		b.err = err
	}
}
