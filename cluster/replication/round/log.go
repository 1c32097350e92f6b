package round

import (
	"errors"
	"fmt"

	"go.etcd.io/raft/v3"
	pb "go.etcd.io/raft/v3/raftpb"

	"github.com/parley-im/parley/storage"
)

// maxCached bounds the data of entries that a group keeps in memory. Entries
// that are not applied yet stay whatever they weigh: MaxUncommittedEntriesSize
// and the queues bound them.
const maxCached = 512 << 10

// raftLog is raft.Storage: the log's end from memory, the rest from the store.
// It holds what is committed to the store; what is under way is Raft's.
//
// Invariants: cache is contiguous and ends at last; base.Index <= last. Raft may
// hold slices of cache: its elements are never overwritten.
type raftLog struct {
	store storage.Store
	shard storage.ShardID

	hard  storage.HardState
	conf  *pb.ConfState // of the start only
	base  storage.Position
	last  uint64
	cache []*pb.Entry
	bytes int

	// snapshot describes the newest one, or says that none may be sent.
	snapshot func() (*pb.Snapshot, error)
}

// InitialState implements raft.Storage.
func (l *raftLog) InitialState() (*pb.HardState, *pb.ConfState, error) {
	if l.hard == (storage.HardState{}) {
		return nil, l.conf, nil
	}
	return &pb.HardState{Term: new(uint64(l.hard.Term)), Vote: new(uint64(l.hard.Vote)), Commit: new(l.hard.Commit)}, l.conf, nil
}

// FirstIndex implements raft.Storage.
func (l *raftLog) FirstIndex() (uint64, error) { return l.base.Index + 1, nil }

// LastIndex implements raft.Storage.
func (l *raftLog) LastIndex() (uint64, error) { return l.last, nil }

// Snapshot implements raft.Storage.
func (l *raftLog) Snapshot() (*pb.Snapshot, error) { return l.snapshot() }

// Term implements raft.Storage.
func (l *raftLog) Term(i uint64) (uint64, error) {
	switch {
	case i == l.base.Index:
		return uint64(l.base.Term), nil
	case i < l.base.Index:
		return 0, raft.ErrCompacted
	case i > l.last:
		return 0, raft.ErrUnavailable
	case i >= l.cachedFrom():
		return l.cache[i-l.cachedFrom()].GetTerm(), nil
	}
	found, err := l.read(i, i+1, 1)
	if err != nil {
		return 0, err
	}
	return found[0].GetTerm(), nil
}

// Entries implements raft.Storage.
func (l *raftLog) Entries(lo, hi, maxSize uint64) ([]*pb.Entry, error) {
	if lo <= l.base.Index {
		return nil, raft.ErrCompacted
	}
	if hi > l.last+1 {
		return nil, raft.ErrUnavailable
	}
	from := l.cachedFrom()
	if lo < from {
		return l.read(lo, min(hi, from), maxSize)
	}
	n, size := lo, uint64(0)
	for ; n < hi; n++ {
		if size += uint64(len(l.cache[n-from].Data)); size > maxSize && n > lo {
			break
		}
	}
	return l.cache[lo-from : n-from : n-from], nil
}

// cachedFrom is the index of the first cached entry.
func (l *raftLog) cachedFrom() uint64 { return l.last + 1 - uint64(len(l.cache)) }

func (l *raftLog) read(lo, hi, maxSize uint64) ([]*pb.Entry, error) {
	found, err := l.store.Log(l.shard, lo, hi, int(min(maxSize, 1<<30)))
	if errors.Is(err, storage.ErrTruncated) {
		return nil, raft.ErrCompacted
	}
	if err != nil {
		return nil, fmt.Errorf("read the log of shard %d: %w", l.shard, err)
	}
	out := make([]*pb.Entry, len(found))
	for i, e := range found {
		out[i] = toRaftEntry(e)
	}
	return out, nil
}

// append takes over entries that the store has now.
func (l *raftLog) append(entries []*pb.Entry) {
	if len(entries) == 0 {
		return
	}
	first, from := entries[0].GetIndex(), l.cachedFrom()
	if first < from { // replaces more than is cached
		l.cache, l.bytes = nil, 0
	} else {
		for _, e := range l.cache[first-from:] {
			l.bytes -= len(e.Data)
		}
		if kept := first - from; kept < uint64(len(l.cache)) {
			l.cache = l.cache[:kept:kept] // what Raft was given stays as it is
		}
	}
	for _, e := range entries {
		l.bytes += len(e.Data)
	}
	l.cache = append(l.cache, entries...)
	l.last = entries[len(entries)-1].GetIndex()
}

// evict drops the oldest cached entries above the bound, those only that
// Raft has handed out.
func (l *raftLog) evict(handed uint64) {
	n, from := 0, l.cachedFrom()
	for n < len(l.cache) && l.bytes > maxCached && from+uint64(n) <= handed {
		l.bytes -= len(l.cache[n].Data)
		n++
	}
	l.cache = l.cache[n:]
}

// truncated notes that the log begins after base now.
func (l *raftLog) truncated(base storage.Position) {
	from := l.cachedFrom()
	l.base = base
	for len(l.cache) > 0 && from <= base.Index {
		l.bytes -= len(l.cache[0].Data)
		l.cache = l.cache[1:]
		from++
	}
}

// reset makes the log an empty one after a snapshot.
func (l *raftLog) reset(base storage.Position) {
	l.base, l.last, l.cache, l.bytes = base, base.Index, nil, 0
}
