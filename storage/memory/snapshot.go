package memory

import (
	"bytes"
	"cmp"
	"encoding/gob"
	"fmt"
	"io"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/storage"
)

// contents is what a snapshot holds, its rows in the order of their keys.
type contents struct {
	Shard       storage.ShardID
	Applied     storage.Applied
	Users       []pair[chat.UserKey, chat.User]
	Memberships []pair[membershipKey, chat.Membership]
	Heads       []pair[chat.ConversationKey, chat.Head]
	Entries     []pair[entryKey, chat.Entry]
	Dedupe      []pair[dedupeKey, chat.Dedupe]
	Outbox      []pair[chat.EffectRef, chat.Effect]
	OutboxHeads []pair[uint16, uint64]
	Marks       []pair[epochKey, uint64]
	Document    storage.Document
}

// frozen is a shard's contents, encoded.
type frozen struct {
	applied storage.Applied
	rest    []byte
}

// Size implements storage.Store, by bodies alone.
func (s *Store) Size(id storage.ShardID) (bytes uint64, err error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, e := range s.shards[id].entries.rows {
		bytes += uint64(len(e.Message.Body))
	}
	return bytes, nil
}

// Freeze implements storage.Store.
func (s *Store) Freeze(id storage.ShardID) (storage.Frozen, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	sh := s.shards[id]
	if sh.replica.ID == 0 || sh.replica.Removed {
		return nil, fmt.Errorf("freeze shard %d: it has no replica here", id)
	}
	var out bytes.Buffer
	err := gob.NewEncoder(&out).Encode(contents{
		Shard: id, Applied: sh.replica.Applied, Users: sh.users.pairs(byUser), Memberships: sh.memberships.pairs(byMembership),
		Heads: sh.heads.pairs(byConversation), Entries: sh.entries.pairs(byEntry), Dedupe: sh.dedupe.pairs(byDedupe),
		Outbox: sh.outbox.pairs(byEffect), OutboxHeads: sh.outboxHeads.pairs(cmp.Compare[uint16]), Marks: sh.marks.pairs(byEpoch),
		Document: sh.documents.rows[onlyKey{}],
	})
	return &frozen{sh.replica.Applied, out.Bytes()}, err
}

// Applied implements storage.Frozen.
func (f *frozen) Applied() storage.Applied { return f.applied }

// Next implements storage.Frozen.
func (f *frozen) Next(size int) ([]byte, error) {
	if len(f.rest) == 0 {
		return nil, io.EOF
	}
	n := min(max(size, 1), len(f.rest))
	chunk := f.rest[:n:n]
	f.rest = f.rest[n:]
	return chunk, nil
}

// Close implements storage.Frozen.
func (f *frozen) Close() error { return nil }

// staging collects chunks.
type staging struct {
	shard  storage.ShardID
	data   []byte
	found  contents
	sealed bool
}

// Stage implements storage.Store.
func (s *Store) Stage(id storage.ShardID) (storage.Staging, error) { return &staging{shard: id}, nil }

// Write implements storage.Staging. What does not decode shows at Seal.
func (g *staging) Write(chunk []byte) error {
	g.data = append(g.data, chunk...)
	return nil
}

// Seal implements storage.Staging.
func (g *staging) Seal() (storage.Applied, error) {
	in := bytes.NewReader(g.data)
	if err := gob.NewDecoder(in).Decode(&g.found); err != nil || in.Len() > 0 || g.found.Shard != g.shard {
		return storage.Applied{}, storage.ErrMalformed
	}
	g.sealed = true
	return g.found.Applied, nil
}

// Discard implements storage.Staging.
func (g *staging) Discard() error {
	*g = staging{shard: g.shard}
	return nil
}

// Install implements storage.Store.
func (s *Store) Install(id storage.ShardID, from storage.Staging) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	g, ok := from.(*staging)
	if !ok || g.shard != id || !g.sealed {
		return fmt.Errorf("install shard %d: %w", id, storage.ErrMalformed)
	}
	sh, c := s.shards[id], &g.found
	now := *sh
	now.tables, now.log, now.generation = newTables(), nil, sh.generation+1
	now.replica.Applied, now.replica.Base, now.replica.Last = c.Applied, c.Applied.Position, c.Applied.Index
	if s.TearInstall {
		none := now
		none.tables, none.replica.Applied, none.replica.Base, none.replica.Last = newTables(), storage.Applied{}, storage.Position{}, 0
		s.undo = append(s.undo, func() { *sh = none })
	}
	now.users.fill(c.Users)
	now.memberships.fill(c.Memberships)
	now.heads.fill(c.Heads)
	now.entries.fill(c.Entries)
	now.dedupe.fill(c.Dedupe)
	now.outbox.fill(c.Outbox)
	now.outboxHeads.fill(c.OutboxHeads)
	now.marks.fill(c.Marks)
	if c.Document.Version != 0 {
		now.documents.rows[onlyKey{}] = c.Document
	}
	*sh = now
	return g.Discard()
}

// Destroy implements storage.Store. Its tombstone is a synced commit, which
// makes those before it durable.
func (s *Store) Destroy(id storage.ShardID) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	sh := s.shards[id]
	sh.generation++
	sh.tables, sh.log = newTables(), nil
	sh.replica = storage.Replica{ID: sh.replica.ID, Removed: true}
	s.undo = nil
	return nil
}
