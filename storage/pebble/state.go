package pebble

import (
	"encoding/binary"
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

// state is one shard as Apply sees it: a cache over the database that runs
// ahead of it by the open batch.
//
// Invariants: what a cached conversation says is what the database will say
// once the open batch is committed, and so do counters, of which there are a
// few for each other shard; users and memberships hold nothing but rows written
// by the open batch, as does document; without an open batch these are empty.
// next is the replica as the open batch leaves it.
type state struct {
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

	conversations map[chat.ConversationKey]*conversation
	dirty         []*conversation

	users       map[chat.UserKey]chat.User
	memberships map[membershipKey]chat.Membership
	counters    map[string]uint64
	document    *storage.Document

	// Scratch for the rows that are written most.
	key         []byte
	head        logpb.Head
	entry       logpb.Entry
	logEntry    logpb.LogEntry
	positionRow logpb.Position
}

type membershipKey struct {
	user         chat.UserKey
	conversation chat.ConversationKey
}

// row is what the generated messages of proto/log have in common.
type row interface {
	SizeVT() int
	MarshalToSizedBufferVT([]byte) (int, error)
	UnmarshalVT([]byte) error
}

// forget empties the caches, which then start from the disk.
func (s *state) forget() {
	s.conversations = make(map[chat.ConversationKey]*conversation)
	s.users = make(map[chat.UserKey]chat.User)
	s.memberships = make(map[membershipKey]chat.Membership)
	s.counters = make(map[string]uint64)
	s.dirty, s.batch, s.document = nil, nil, nil
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

// User implements chat.State.
func (s *state) User(u chat.UserKey) (chat.User, bool) {
	if v, ok := s.users[u]; ok {
		return v, true
	}
	var r logpb.User
	s.key = appendUserKey(s.key[:0], s.shard, u)
	ok := s.get(s.key, &r)
	return r.Chat(), ok
}

// PutUser implements chat.State.
func (s *state) PutUser(u chat.UserKey, v chat.User) {
	s.users[u] = v
	s.key = appendUserKey(s.key[:0], s.shard, u)
	s.set(s.key, logpb.FromUser(v))
}

// Membership implements chat.State.
func (s *state) Membership(u chat.UserKey, c chat.ConversationKey) (chat.Membership, bool) {
	if v, ok := s.memberships[membershipKey{u, c}]; ok {
		return v, true
	}
	var r logpb.Membership
	s.key = appendMembershipKey(s.key[:0], s.shard, u, c)
	ok := s.get(s.key, &r)
	return r.Chat(), ok
}

// PutMembership implements chat.State.
func (s *state) PutMembership(u chat.UserKey, c chat.ConversationKey, v chat.Membership) {
	s.memberships[membershipKey{u, c}] = v
	s.key = appendMembershipKey(s.key[:0], s.shard, u, c)
	s.set(s.key, logpb.FromMembership(v))
}

// QueueEffect implements chat.State.
func (s *state) QueueEffect(e chat.Effect) chat.EffectRef {
	destination := uint16(storage.UserShard(s.store.shards, e.ConversationOpened.User))
	s.key = appendOutboxHeadKey(s.key[:0], s.shard, destination)
	n := s.counter(s.key) + 1
	s.setCounter(s.key, n)
	s.key = appendOutboxKey(s.key[:0], s.shard, destination, n)
	s.set(s.key, logpb.FromEffect(e))
	return chat.EffectRef{Destination: destination, Number: n}
}

// DropEffects implements chat.State. It deletes rows one by one: an outbox is
// deleted from all the time, and each range that is deleted makes every read of
// the memtable more expensive until it is flushed.
func (s *state) DropEffects(destination uint16, through uint64) {
	s.key = appendOutboxHeadKey(s.key[:0], s.shard, destination)
	through = min(through, s.counter(s.key))
	s.key = appendOutboxBaseKey(s.key[:0], s.shard, destination)
	base := s.counter(s.key)
	if through <= base {
		return
	}
	s.setCounter(s.key, through)
	if through-base > maxSingleDrops {
		s.dropRange(appendOutboxKey(nil, s.shard, destination, base+1), appendOutboxKey(nil, s.shard, destination, through+1))
		return
	}
	for n := base + 1; n <= through; n++ {
		s.key = appendOutboxKey(s.key[:0], s.shard, destination, n)
		if err := s.batch.out.Delete(s.key, nil); err != nil {
			s.batch.fail(err)
		}
	}
}

// maxSingleDrops is up to how many rows are deleted one by one: more come
// seldom, or from a store that had no outbox base.
const maxSingleDrops = 1024

// EffectMark implements chat.State.
func (s *state) EffectMark(source uint16, epoch uint64) uint64 {
	s.key = appendEffectMarkKey(s.key[:0], s.shard, source, epoch)
	return s.counter(s.key)
}

// SetEffectMark implements chat.State.
func (s *state) SetEffectMark(source uint16, epoch, through uint64) {
	s.key = appendEffectMarkKey(s.key[:0], s.shard, source, epoch)
	s.setCounter(s.key, through)
}

func (s *state) counter(key []byte) uint64 {
	if n, ok := s.counters[string(key)]; ok {
		return n
	}
	n, err := s.store.getNumber(key)
	if err != nil {
		s.batch.fail(err)
		return 0
	}
	s.counters[string(key)] = n
	return n
}

func (s *state) setCounter(key []byte, n uint64) {
	s.counters[string(key)] = n
	var v [8]byte
	binary.BigEndian.PutUint64(v[:], n)
	if err := s.batch.out.Set(key, v[:], nil); err != nil {
		s.batch.fail(err)
	}
}

func (s *state) dropRange(from, to []byte) {
	if err := s.batch.out.DeleteRange(from, to, nil); err != nil {
		s.batch.fail(err)
	}
}

// flush writes what is written once per batch however often it changed: heads.
func (s *state) flush() {
	for _, c := range s.dirty {
		s.key = appendHeadKey(s.key[:0], s.shard, c.key)
		s.head.Set(&c.head)
		s.set(s.key, &s.head)
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
	for _, c := range s.dirty {
		c.committed()
	}
	s.dirty = s.dirty[:0]
	clear(s.users)
	clear(s.memberships)
	s.evict()
	s.batch, s.document = nil, nil
	s.mu.Lock()
	defer s.mu.Unlock()
	s.replica, s.withLog = s.next, s.nextWithLog
}
