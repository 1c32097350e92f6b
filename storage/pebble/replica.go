package pebble

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/cockroachdb/pebble/v2"

	"github.com/parley-im/parley/proto/logpb"
	"github.com/parley-im/parley/storage"
)

// Replicas implements storage.Store.
func (s *Store) Replicas() ([]storage.ShardID, error) {
	var out []storage.ShardID
	for _, st := range s.states {
		if r := st.current(); r.ID != 0 && !r.Removed {
			out = append(out, st.shard)
		}
	}
	return out, nil
}

// Replica implements storage.Store.
func (s *Store) Replica(shard storage.ShardID) (storage.Replica, error) {
	r := s.states[shard].current()
	// The commit index is written with term and vote only.
	r.Commit = max(r.Applied.Index, min(r.Commit, r.Last))
	return r, nil
}

// current is the replica as committed.
func (s *state) current() storage.Replica {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.replica
}

// load reads the replica from the disk and forgets what was cached.
func (s *state) load() error {
	var r storage.Replica
	var row logpb.Replica
	if _, err := get(s.store.db, replicaKey(s.shard), &row); err != nil {
		return err
	}
	r.ID, r.Removed = storage.ReplicaID(row.Id), row.Removed
	r.HardState = storage.HardState{Term: storage.Term(row.Term), Vote: storage.ReplicaID(row.Vote), Commit: row.Commit}
	var err error
	var withLog bool
	if r.Applied.Position, withLog, err = s.position(tableApplied); err != nil {
		return err
	}
	if r.Base, _, err = s.position(tableLogBase); err != nil {
		return err
	}
	v, closer, err := s.store.db.Get(appendOwn(nil, s.shard, tableDescriptor))
	switch {
	case err == nil:
		r.Applied.Descriptor = bytes.Clone(v)
		err = closer.Close()
	case errors.Is(err, pebble.ErrNotFound):
		err = nil
	}
	if err != nil {
		return err
	}
	last, err := s.logEnd(r.Base)
	if err != nil {
		return err
	}
	if r.Last = last.Index; withLog {
		r.Applied.Position = last
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.replica, s.withLog, s.generation = r, withLog, s.generation+s.generation%2
	s.forget()
	return nil
}

// replace says that the contents are about to be replaced, at a moment that
// nobody outside of Pebble can tell; load ends it.
func (s *state) replace() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.generation += 1 - s.generation%2
}

func (s *state) position(table byte) (at storage.Position, withLog bool, err error) {
	var row logpb.Position
	_, err = get(s.store.db, appendOwn(nil, s.shard, table), &row)
	return storage.Position{Index: row.Index, Term: storage.Term(row.Term)}, row.WithLog, err
}

// logEnd is the position of the log's newest entry, base when there is none.
func (s *state) logEnd(base storage.Position) (last storage.Position, err error) {
	log := appendOwn(nil, s.shard, tableLog)
	it, err := s.store.db.NewIter(&pebble.IterOptions{LowerBound: log, UpperBound: prefixEnd(log)})
	if err != nil {
		return base, err
	}
	last, err = endOfLog(it, log, base)
	return last, errors.Join(err, it.Close())
}

// endOfLog is logEnd of what an iterator sees, by the prefix of the log's keys.
func endOfLog(it *pebble.Iterator, log []byte, base storage.Position) (storage.Position, error) {
	if !it.SeekLT(prefixEnd(log)) || !bytes.HasPrefix(it.Key(), log) {
		return base, it.Error()
	}
	value, err := it.ValueAndErr()
	if err != nil {
		return base, err
	}
	var row logpb.LogEntry
	if err := row.UnmarshalVT(value); err != nil {
		return base, err
	}
	return storage.Position{Index: logIndex(it.Key()), Term: storage.Term(row.Term)}, nil
}

// Log implements storage.Store.
func (s *Store) Log(shard storage.ShardID, from, to uint64, maxBytes int) ([]storage.LogEntry, error) {
	r := s.states[shard].current()
	if from <= r.Base.Index {
		return nil, storage.ErrTruncated
	}
	if from >= to || to > r.Last+1 {
		return nil, storage.ErrNoEntry
	}
	base := appendOwn(nil, shard, tableLogBase) // the row in front of the log
	it, err := s.db.NewIter(&pebble.IterOptions{LowerBound: base, UpperBound: appendLogKey(nil, shard, to)})
	if err != nil {
		return nil, err
	}
	var out []storage.LogEntry
	size := 0
	for ok := it.SeekGE(appendLogKey(nil, shard, from)); ok && err == nil; ok = it.Next() {
		var value []byte
		if value, err = it.ValueAndErr(); err != nil {
			break
		}
		var row logpb.LogEntry
		if err = row.UnmarshalVT(value); err != nil {
			break
		}
		if size += len(row.Data); size > maxBytes && len(out) > 0 {
			break
		}
		index := logIndex(it.Key())
		if want := from + uint64(len(out)); index != want {
			err = fmt.Errorf("the log of shard %d has entry %d in place of %d", shard, index, want)
			break
		}
		out = append(out, storage.LogEntry{Position: storage.Position{Index: index, Term: storage.Term(row.Term)}, Kind: uint8(row.Kind), Data: row.Data})
	}
	if err == nil && len(out) == 0 {
		err = storage.ErrNoEntry
	}
	if err != nil && truncated(it, base, from) {
		err = storage.ErrTruncated
	}
	if err = errors.Join(err, it.Error(), it.Close()); err != nil {
		return nil, err
	}
	return out, nil
}

// truncated says whether the log that an iterator sees begins after from: a
// batch may have been committed since the bounds were looked at.
func truncated(it *pebble.Iterator, base []byte, from uint64) bool {
	if !it.SeekGE(base) || !bytes.Equal(it.Key(), base) {
		return false
	}
	value, err := it.ValueAndErr()
	var row logpb.Position
	return err == nil && row.UnmarshalVT(value) == nil && from <= row.Index
}

// Create implements storage.Batch.
func (b *batch) Create(shard storage.ShardID, id storage.ReplicaID, a storage.Applied) {
	st := b.state(shard)
	st.next = storage.Replica{ID: id, Applied: storage.Applied{Position: a.Position}, Base: a.Position, Last: a.Index}
	st.setReplica()
	st.setPosition(tableLogBase, a.Position, false)
	b.SetApplied(shard, a)
}

// Append implements storage.Batch.
func (b *batch) Append(shard storage.ShardID, entries []storage.LogEntry) {
	st := b.state(shard)
	for i := range entries {
		e := &entries[i]
		st.key = appendLogKey(st.key[:0], shard, e.Index)
		st.logEntry.Term, st.logEntry.Kind, st.logEntry.Data = uint64(e.Term), uint32(e.Kind), e.Data
		st.set(st.key, &st.logEntry)
	}
	last := entries[len(entries)-1].Index
	if last < st.next.Last {
		st.removeRange(appendLogKey(nil, shard, last+1), appendLogKey(nil, shard, st.next.Last+1))
	}
	st.next.Last, st.appended = last, true
}

// SetHardState implements storage.Batch.
func (b *batch) SetHardState(shard storage.ShardID, h storage.HardState) {
	st := b.state(shard)
	st.next.HardState = h
	st.setReplica()
}

// SetApplied implements storage.Batch. The descriptor is written when it
// differs only: it weighs more than the rest.
func (b *batch) SetApplied(shard storage.ShardID, a storage.Applied) {
	st := b.state(shard)
	if !bytes.Equal(a.Descriptor, st.next.Applied.Descriptor) {
		if err := b.out.Set(appendOwn(nil, shard, tableDescriptor), a.Descriptor, nil); err != nil {
			b.fail(err)
		}
	}
	st.next.Applied, st.applied = a, true
}

// Truncate implements storage.Batch.
func (b *batch) Truncate(shard storage.ShardID, base storage.Position) {
	st := b.state(shard)
	st.setPosition(tableLogBase, base, false)
	st.removeRange(appendLogKey(nil, shard, st.next.Base.Index+1), appendLogKey(nil, shard, base.Index+1))
	st.next.Base = base
}

func (s *state) setReplica() {
	r := &s.next
	s.set(replicaKey(s.shard), &logpb.Replica{
		Id: uint64(r.ID), Removed: r.Removed, Term: uint64(r.Term), Vote: uint64(r.Vote), Commit: r.Commit,
	})
}

func (s *state) setPosition(table byte, p storage.Position, withLog bool) {
	s.positionRow.Index, s.positionRow.Term, s.positionRow.WithLog = p.Index, uint64(p.Term), withLog
	s.key = appendOwn(s.key[:0], s.shard, table)
	s.set(s.key, &s.positionRow)
}
