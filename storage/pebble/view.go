package pebble

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"github.com/cockroachdb/pebble/v2"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/proto/logpb"
	"github.com/parley-im/parley/storage"
)

// view reads a shard as it was committed when the view was opened.
type view struct {
	db         *pebble.Snapshot
	state      *state
	generation int
	shard      storage.ShardID
}

// View implements storage.Store.
func (s *Store) View(shard storage.ShardID) (storage.View, error) {
	st := s.states[shard]
	st.mu.Lock()
	defer st.mu.Unlock()
	return view{db: s.db.NewSnapshot(), state: st, generation: st.generation, shard: shard}, nil
}

// Close implements storage.View.
func (v view) Close() error {
	err := v.db.Close()
	v.state.mu.Lock()
	defer v.state.mu.Unlock()
	if v.generation != v.state.generation || v.generation%2 != 0 {
		err = errors.Join(err, storage.ErrGone)
	}
	return err
}

// User implements storage.View.
func (v view) User(u chat.UserKey) (chat.User, bool, error) {
	var r logpb.User
	ok, err := get(v.db, appendUserKey(nil, v.shard, u), &r)
	return r.Chat(), ok, err
}

// Head implements storage.View.
func (v view) Head(c chat.ConversationKey) (chat.Head, bool, error) {
	var r logpb.Head
	ok, err := get(v.db, appendHeadKey(nil, v.shard, c), &r)
	return r.Chat(), ok, err
}

// Membership implements storage.View.
func (v view) Membership(u chat.UserKey, c chat.ConversationKey) (chat.Membership, bool, error) {
	var r logpb.Membership
	ok, err := get(v.db, appendMembershipKey(nil, v.shard, chat.MembershipKey{User: u, Conversation: c}), &r)
	return r.Chat(), ok, err
}

// Entries implements storage.View.
func (v view) Entries(c chat.ConversationKey, after, before uint64, limit int, newest bool) ([]chat.Entry, error) {
	if limit < 1 || after == math.MaxUint64 || before != 0 && before <= after+1 {
		return nil, nil
	}
	lower := appendEntryKey(nil, v.shard, chat.EntryKey{Conversation: c, Seq: after + 1})
	upper := prefixEnd(lower[:len(lower)-8])
	if before != 0 {
		upper = appendEntryKey(nil, v.shard, chat.EntryKey{Conversation: c, Seq: before})
	}
	var out []chat.Entry
	err := v.scan(lower, upper, newest, func(_, value []byte) (bool, error) {
		var r logpb.Entry
		if err := r.UnmarshalVT(value); err != nil {
			return false, err
		}
		out = append(out, r.Chat())
		return len(out) < limit, nil
	})
	if newest {
		for i, j := 0, len(out)-1; i < j; i, j = i+1, j-1 {
			out[i], out[j] = out[j], out[i]
		}
	}
	return out, err
}

// Changes implements storage.View.
func (v view) Changes(c chat.ConversationKey, after uint64, limit int) (out []chat.Change, err error) {
	if limit < 1 || after == math.MaxUint64 {
		return nil, nil
	}
	lower := appendChangeKey(nil, v.shard, chat.ChangeKey{Conversation: c, Rev: after + 1})
	err = v.scan(lower, prefixEnd(lower[:len(lower)-8]), false, func(_, value []byte) (bool, error) {
		var r logpb.EntryChange
		if err := r.UnmarshalVT(value); err != nil {
			return false, err
		}
		out = append(out, r.Chat())
		return len(out) < limit, nil
	})
	return out, err
}

// Memberships implements storage.View.
func (v view) Memberships(u chat.UserKey, visit func(chat.ConversationKey, chat.Membership) bool) error {
	prefix := appendMembershipsPrefix(nil, v.shard, u)
	return v.scan(prefix, prefixEnd(prefix), false, func(key, value []byte) (bool, error) {
		c, ok := parseConversation(u.App, key[len(prefix):])
		if !ok {
			return false, fmt.Errorf("membership row with a malformed key %x", key)
		}
		var r logpb.Membership
		if err := r.UnmarshalVT(value); err != nil {
			return false, err
		}
		return visit(c, r.Chat()), nil
	})
}

// Effects implements storage.View. It begins after what was deleted, whose
// rows the scan would have to pass.
func (v view) Effects(destination storage.ShardID, limit int) (first uint64, effects []chat.Effect, err error) {
	base, err := getNumber(v.db, appendOutboxBaseKey(nil, v.shard, uint16(destination)))
	if err != nil {
		return 0, nil, err
	}
	lower := appendOutboxKey(nil, v.shard, chat.EffectRef{Destination: uint16(destination), Number: base + 1})
	err = v.scan(lower, prefixEnd(lower[:len(lower)-8]), false, func(key, value []byte) (bool, error) {
		if len(effects) == 0 {
			first = binary.BigEndian.Uint64(key[len(key)-8:])
		}
		var r logpb.Effect
		if err := r.UnmarshalVT(value); err != nil {
			return false, err
		}
		e, err := r.Chat()
		effects = append(effects, e)
		return err == nil && len(effects) < limit, err
	})
	return first, effects, err
}

// Undelivered implements storage.View: the destinations that were given more
// numbers than were deleted.
func (v view) Undelivered() ([]storage.ShardID, error) {
	var out []storage.ShardID
	lower := appendTable(nil, v.shard, 0, tableOutboxHead)
	err := v.scan(lower, prefixEnd(lower), false, func(key, value []byte) (bool, error) {
		if len(key) != len(lower)+2 || len(value) != 8 {
			return false, fmt.Errorf("outbox head %x has %d bytes, want 8", key, len(value))
		}
		d := binary.BigEndian.Uint16(key[len(lower):])
		base, err := getNumber(v.db, appendOutboxBaseKey(nil, v.shard, d))
		if err == nil && base < binary.BigEndian.Uint64(value) {
			out = append(out, storage.ShardID(d))
		}
		return true, err
	})
	return out, err
}

// Document implements storage.View.
func (v view) Document() (storage.Document, error) { return document(v.db, v.shard) }

// document reads a shard's document.
func document(from pebble.Reader, shard storage.ShardID) (storage.Document, error) {
	var r logpb.Document
	_, err := get(from, appendOwn(nil, shard, tableDocument), &r)
	return storage.Document{Version: r.Version, Content: r.Content}, err
}

// scan visits rows of [lower, upper) until visit says false or fails.
func (v view) scan(lower, upper []byte, backward bool, visit func(key, value []byte) (bool, error)) error {
	it, err := v.db.NewIter(&pebble.IterOptions{LowerBound: lower, UpperBound: upper})
	if err != nil {
		return damaged(err)
	}
	first, next := it.First, it.Next
	if backward {
		first, next = it.Last, it.Prev
	}
	more := true
	for ok := first(); ok && more && err == nil; ok = next() {
		value, unread := it.ValueAndErr()
		if err = damaged(unread); err == nil {
			more, err = visit(it.Key(), value)
		}
	}
	return errors.Join(err, damaged(errors.Join(it.Error(), it.Close())))
}
