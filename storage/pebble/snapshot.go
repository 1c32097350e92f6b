package pebble

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/cockroachdb/pebble/v2"

	"github.com/parley-im/parley/proto/logpb"
	"github.com/parley-im/parley/storage"
)

// A chunk is the shard, u16, and a row after the other: uvarint length and key
// without the shard's prefix, uvarint length and value. Rows travel, not tables:
// a receiver writes tables of the format that its own release reads.

// chunkHead is the length of what is in front of a chunk's rows.
const chunkHead = 2

// frozen is an open iterator over the shard's contents. Pebble keeps for it
// whatever it was opened on, which a snapshot of Pebble's does not get when the
// range is excised.
type frozen struct {
	it      *pebble.Iterator
	shard   storage.ShardID
	applied storage.Applied
	log     []byte // prefix of the log's keys
	key     []byte // of the applied row
	base    []byte // key of the log's base
	ok      bool   // it stands on a row
}

// Size implements storage.Store. Memtables are not counted: an open has none.
func (s *Store) Size(shard storage.ShardID) (uint64, error) {
	from, to := shardSpan(shard)
	size, err := s.db.EstimateDiskUsage(from, to)
	if err != nil {
		return 0, fmt.Errorf("size of shard %d: %w", shard, damaged(err))
	}
	return size, nil
}

// Freeze implements storage.Store.
func (s *Store) Freeze(shard storage.ShardID) (storage.Frozen, error) {
	from, to := shardSpan(shard)
	it, err := s.db.NewIter(&pebble.IterOptions{LowerBound: from, UpperBound: to})
	if err != nil {
		return nil, err
	}
	f := &frozen{it: it, shard: shard, log: appendOwn(nil, shard, tableLog), key: appendOwn(nil, shard, tableApplied), base: appendOwn(nil, shard, tableLogBase)}
	if err := f.readApplied(); err != nil {
		return nil, errors.Join(fmt.Errorf("freeze shard %d: %w", shard, err), it.Close())
	}
	f.ok = it.First()
	return f, nil
}

func (f *frozen) readApplied() error {
	applied, err := f.position(f.key)
	base, baseErr := f.position(f.base)
	if err := errors.Join(err, baseErr); err != nil || applied == nil || base == nil {
		return errors.Join(errors.New("it does not say how far it goes"), err)
	}
	f.applied.Position = storage.Position{Index: applied.Index, Term: storage.Term(applied.Term)}
	if applied.WithLog {
		from := storage.Position{Index: base.Index, Term: storage.Term(base.Term)}
		if f.applied.Position, err = endOfLog(f.it, f.log, from); err != nil {
			return err
		}
	}
	key := appendOwn(nil, f.shard, tableDescriptor)
	if f.it.SeekGE(key) && bytes.Equal(f.it.Key(), key) {
		value, err := f.it.ValueAndErr()
		if err != nil {
			return err
		}
		f.applied.Descriptor = bytes.Clone(value)
	}
	return f.it.Error()
}

// position reads a row of that kind; nil when there is none.
func (f *frozen) position(key []byte) (*logpb.Position, error) {
	if !f.it.SeekGE(key) || !bytes.Equal(f.it.Key(), key) {
		return nil, f.it.Error()
	}
	value, err := f.it.ValueAndErr()
	if err != nil {
		return nil, err
	}
	row := new(logpb.Position)
	return row, row.UnmarshalVT(value)
}

// Applied implements storage.Frozen.
func (f *frozen) Applied() storage.Applied { return f.applied }

// Next implements storage.Frozen. The log is not part of it: it begins at the
// applied index where the rows go.
func (f *frozen) Next(size int) ([]byte, error) {
	out := binary.BigEndian.AppendUint16(nil, uint16(f.shard))
	for f.ok && len(out) < max(size, chunkHead+1) {
		key := f.it.Key()
		if bytes.HasPrefix(key, f.log) {
			f.ok = f.it.SeekGE(prefixEnd(f.log))
			continue
		}
		value, err := f.it.ValueAndErr()
		if err != nil {
			return nil, err
		}
		if bytes.Equal(key, f.base) || bytes.Equal(key, f.key) {
			row := logpb.Position{Index: f.applied.Index, Term: uint64(f.applied.Term)}
			if value, err = row.MarshalVT(); err != nil {
				return nil, err
			}
		}
		key = key[shardPrefixLen:]
		out = append(binary.AppendUvarint(out, uint64(len(key))), key...)
		out = append(binary.AppendUvarint(out, uint64(len(value))), value...)
		f.ok = f.it.Next()
	}
	if err := f.it.Error(); err != nil {
		return nil, err
	}
	if len(out) == chunkHead {
		return nil, io.EOF
	}
	return out, nil
}

// Close implements storage.Frozen.
func (f *frozen) Close() error { return f.it.Close() }

// Install implements storage.Store. Pebble replaces the range by the tables in
// one step of its manifest.
func (s *Store) Install(shard storage.ShardID, from storage.Staging) error {
	g, ok := from.(*staging)
	if !ok || g.shard != shard || !g.sealed {
		return fmt.Errorf("install shard %d: %w", shard, storage.ErrMalformed)
	}
	g.sealed = false
	st := s.states[shard]
	st.replace()
	lower, upper := shardSpan(shard)
	if _, err := s.db.IngestAndExcise(context.Background(), g.paths(), nil, nil, pebble.KeyRange{Start: lower, End: upper}); err != nil {
		return fmt.Errorf("install shard %d: %w", shard, err)
	}
	return errors.Join(st.load(), g.Discard())
}

// Destroy implements storage.Store.
func (s *Store) Destroy(shard storage.ShardID) error {
	st := s.states[shard]
	b := s.Batch().(*batch)
	b.state(shard).next = storage.Replica{ID: st.current().ID, Removed: true}
	st.setReplica()
	if err := b.Commit(true); err != nil {
		return fmt.Errorf("destroy shard %d: %w", shard, err)
	}
	return st.empty()
}

// finishDestroy deletes what a crash left after a tombstone.
func (s *state) finishDestroy() error {
	if !s.replica.Removed {
		return nil
	}
	lower, upper := shardSpan(s.shard)
	it, err := s.store.db.NewIter(&pebble.IterOptions{LowerBound: lower, UpperBound: upper})
	if err != nil {
		return err
	}
	left := it.First()
	if err := errors.Join(it.Error(), it.Close()); err != nil || !left {
		return err
	}
	return s.empty()
}

// empty deletes a removed replica's contents.
func (s *state) empty() error {
	s.replace()
	lower, upper := shardSpan(s.shard)
	if err := s.store.db.Excise(context.Background(), pebble.KeyRange{Start: lower, End: upper}); err != nil {
		return fmt.Errorf("destroy shard %d: %w", s.shard, err)
	}
	return s.load()
}
