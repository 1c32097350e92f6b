package pebble

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"sync"

	"github.com/cockroachdb/pebble/v2"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/proto/logpb"
	"github.com/parley-im/parley/storage"
)

// state is one shard as Apply sees it: tables that cache what the next batch will
// ask for, and run ahead of the database by the open batch.
//
// Invariants: what a table says is what the database will say once the open batch
// is committed; document holds nothing but what the open batch wrote. next is the
// replica as the open batch leaves it.
type state struct {
	chat.State
	tables []anyTable // each of them

	store *Store
	shard storage.ShardID
	batch *batch // the open one, nil between batches
	next  storage.Replica
	// appended and applied say that the open batch has moved next's Last or Applied.
	appended, applied bool
	// withLog is what the row says of how far the rows go; see flushApplied.
	withLog, nextWithLog bool

	mu         sync.Mutex
	replica    storage.Replica // as committed
	generation int             // counts the beginnings and the ends of replacements of the contents: odd in between

	document *storage.Document

	// Scratch for the rows that are written most.
	key         []byte
	logEntry    logpb.LogEntry
	positionRow logpb.Position
}

// newState declares a shard's tables.
func newState(store *Store, shard storage.ShardID) *state {
	s := &state{store: store, shard: shard}
	s.Users = newTable(s, appendUserKey, rowOf[chat.User](new(logpb.User)))
	s.Memberships = newTable(s, appendMembershipKey, rowOf[chat.Membership](new(logpb.Membership)))
	s.Heads = newHot(s, appendHeadKey, rowOf[chat.Head](new(logpb.Head)))
	s.Entries = newTable(s, appendEntryKey, rowOf[chat.Entry](new(logpb.Entry)))
	s.Changes = newTable(s, appendChangeKey, rowOf[chat.Change](new(logpb.EntryChange)))
	s.Dedupes = newDedupes(s, s.Heads)
	s.Applied = newHot(s, appendEffectMarkKey, rowOf[uint64](new(count)))
	s.Outbox = &outbox{state: s,
		heads: newHot(s, appendOutboxHeadKey, rowOf[uint64](new(count))), base: newHot(s, appendOutboxBaseKey, rowOf[uint64](new(count)))}
	return s
}

// row is what the generated messages of proto/log have in common.
type row interface {
	SizeVT() int
	MarshalToSizedBufferVT([]byte) (int, error)
	UnmarshalVT([]byte) error
}

// forget empties the tables, which then start from the disk.
func (s *state) forget() {
	for _, t := range s.tables {
		t.forget()
	}
	s.batch, s.document = nil, nil
}

// get reads a committed row into r; ok is false when there is none.
func (s *state) get(key []byte, r row) (ok bool) {
	ok, err := get(s.store.db, key, r)
	if err != nil {
		s.batch.fail(err)
	}
	return ok && err == nil
}

func get(from pebble.Reader, key []byte, r row) (bool, error) {
	v, closer, err := from.Get(key)
	if errors.Is(err, pebble.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, damaged(err)
	}
	return true, errors.Join(r.UnmarshalVT(v), closer.Close())
}

// damaged marks what a reader of Pebble says when the disk is at fault.
func damaged(err error) error {
	if err == nil { // of most rows; what follows allocates
		return nil
	}
	if file := (*fs.PathError)(nil); errors.Is(err, pebble.ErrCorruption) || errors.Is(err, io.EOF) || errors.As(err, &file) && !isTransient(err) {
		return fmt.Errorf("%w: %w", storage.ErrDamaged, err)
	}
	return err
}

// set writes a row straight into the batch's memory.
func (s *state) set(key []byte, r row) {
	op := s.batch.out.SetDeferred(len(key), r.SizeVT())
	copy(op.Key, key)
	if _, err := r.MarshalToSizedBufferVT(op.Value); err != nil {
		s.batch.fail(err)
	}
	if err := op.Finish(); err != nil {
		s.batch.fail(err)
	}
}

func (s *state) remove(key []byte) {
	if err := s.batch.out.Delete(key, nil); err != nil {
		s.batch.fail(err)
	}
}

func (s *state) removeRange(from, to []byte) {
	if err := s.batch.out.DeleteRange(from, to, nil); err != nil {
		s.batch.fail(err)
	}
}

// flush writes what is written once per batch however often it changed.
func (s *state) flush() {
	for _, t := range s.tables {
		t.flush()
	}
	s.flushApplied()
}

// flushApplied writes how far the rows go, unless it can be told from the log: a
// replica that is its shard's only voter moves both at once, batch after batch,
// which is a row less for each.
func (s *state) flushApplied() {
	r := &s.next
	s.nextWithLog = s.appended && s.applied && r.Applied.Index == r.Last ||
		s.withLog && !s.applied && r.Applied.Index == r.Last
	if s.nextWithLog != s.withLog || s.applied && !s.nextWithLog {
		s.setPosition(tableApplied, r.Applied.Position, s.nextWithLog)
	}
}

// committed forgets what only the open batch needed.
func (s *state) committed() {
	for _, t := range s.tables {
		t.committed()
	}
	s.batch, s.document = nil, nil
	s.mu.Lock()
	defer s.mu.Unlock()
	s.replica, s.withLog = s.next, s.nextWithLog
}
