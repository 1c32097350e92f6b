package pebble

import (
	"fmt"

	"github.com/cockroachdb/pebble/v2"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/proto/logpb"
	"github.com/parley-im/parley/storage"
)

// batch gathers the writes of many shards. The states that it changes outlive it:
// they cache what the next batch will ask for.
type batch struct {
	store   *Store
	out     *pebble.Batch
	touched []*state
	err     error // first failure of a state's read or write
}

// Batch implements storage.Store.
func (s *Store) Batch() storage.Batch { return &batch{store: s, out: s.db.NewBatch()} }

// State implements storage.Batch.
func (b *batch) State(shard storage.ShardID) *chat.State { return &b.state(shard).State }

func (b *batch) state(shard storage.ShardID) *state {
	st := b.store.states[shard]
	if st.batch != b {
		if st.batch != nil {
			panic(fmt.Sprintf("pebble: two open batches touch shard %d", shard))
		}
		st.batch, st.next = b, st.current()
		st.appended, st.applied = false, false
		b.touched = append(b.touched, st)
	}
	return st
}

// Document implements storage.Batch.
func (b *batch) Document(shard storage.ShardID) storage.Document {
	if d := b.state(shard).document; d != nil {
		return *d
	}
	d, err := document(b.store.db, shard)
	if err != nil {
		b.fail(err)
	}
	return d
}

// SetDocument implements storage.Batch.
func (b *batch) SetDocument(shard storage.ShardID, d storage.Document) {
	st := b.state(shard)
	st.document = &d
	st.set(appendOwn(nil, shard, tableDocument), &logpb.Document{Version: d.Version, Content: d.Content})
}

// Err implements storage.Batch.
func (b *batch) Err() error { return b.err }

// Commit implements storage.Batch.
func (b *batch) Commit(sync bool) error {
	for _, st := range b.touched {
		st.flush()
	}
	err := b.err
	if err == nil {
		err = b.write(sync)
	}
	if err != nil {
		b.Discard()
		return err
	}
	for _, st := range b.touched {
		st.committed()
	}
	return b.out.Close()
}

func (b *batch) write(sync bool) error {
	if !sync {
		return b.out.Commit(pebble.NoSync)
	}
	if b.out.Empty() {
		// Pebble leaves out a batch that holds nothing, and with it the sync of the
		// commits before.
		if err := b.out.LogData(nil, nil); err != nil {
			return err
		}
	}
	return b.out.Commit(pebble.Sync)
}

// Discard implements storage.Batch.
func (b *batch) Discard() {
	for _, st := range b.touched {
		st.forget() // its cache is ahead of the disk
	}
	_ = b.out.Close()
}

func (b *batch) fail(err error) {
	if b.err == nil {
		b.err = err
	}
}
