package memory

import (
	"bytes"
	"encoding/gob"
	"io"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/storage"
)

// contents is what a snapshot holds.
type contents struct {
	Shard       storage.ShardID
	Applied     storage.Applied
	Users       map[chat.UserKey]chat.User
	Memberships map[membershipKey]chat.Membership
	Heads       map[chat.ConversationKey]chat.Head
	Entries     map[entryKey]chat.Entry
	Dedupe      map[dedupeKey]chat.Dedupe
	Outbox      map[chat.EffectRef]chat.Effect
	OutboxHeads map[uint16]uint64
	Marks       map[epochKey]uint64
}

// frozen is a shard's contents, encoded.
type frozen struct {
	applied storage.Applied
	rest    []byte
}

// Freeze implements storage.Store.
func (s *Store) Freeze(id storage.ShardID) (storage.Frozen, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	sh := s.shards[id]
	var out bytes.Buffer
	err := gob.NewEncoder(&out).Encode(contents{
		Shard: id, Applied: sh.replica.Applied, Users: sh.users.rows, Memberships: sh.memberships.rows, Heads: sh.heads.rows, Entries: sh.entries.rows,
		Dedupe: sh.dedupe.rows, Outbox: sh.outbox.rows, OutboxHeads: sh.outboxHeads.rows, Marks: sh.marks.rows,
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
	shard storage.ShardID
	data  []byte
	found contents
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
	if err := gob.NewDecoder(bytes.NewReader(g.data)).Decode(&g.found); err != nil || g.found.Shard != g.shard {
		return storage.Applied{}, storage.ErrMalformed
	}
	return g.found.Applied, nil
}

// Discard implements storage.Staging.
func (g *staging) Discard() error { return nil }

// Install implements storage.Store.
func (s *Store) Install(id storage.ShardID, from storage.Staging) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	sh, c := s.shards[id], from.(*staging).found
	now := *sh
	now.tables, now.log, now.generation = newTables(), nil, sh.generation+1
	now.replica.Applied, now.replica.Base, now.replica.Last = c.Applied, c.Applied.Position, c.Applied.Index
	if s.TearInstall {
		none := now
		none.tables, none.replica.Applied, none.replica.Base, none.replica.Last = newTables(), storage.Applied{}, storage.Position{}, 0
		s.undo = append(s.undo, func() { *sh = none })
	}
	fill(now.users, c.Users)
	fill(now.memberships, c.Memberships)
	fill(now.heads, c.Heads)
	fill(now.entries, c.Entries)
	fill(now.dedupe, c.Dedupe)
	fill(now.outbox, c.Outbox)
	fill(now.outboxHeads, c.OutboxHeads)
	fill(now.marks, c.Marks)
	*sh = now
	return nil
}

func fill[K comparable, V any](t *table[K, V], rows map[K]V) {
	if rows != nil {
		t.rows = rows
	}
}

// Destroy implements storage.Store.
func (s *Store) Destroy(id storage.ShardID) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	sh := s.shards[id]
	sh.generation++
	sh.tables, sh.log = newTables(), nil
	sh.replica = storage.Replica{ID: sh.replica.ID, Removed: true}
	return nil
}
