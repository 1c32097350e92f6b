package memory

import (
	"bytes"
	"encoding/gob"
	"errors"
	"fmt"
	"io"

	"github.com/parley-im/parley/storage"
)

// header begins a snapshot; the tables follow.
type header struct {
	Shard   storage.ShardID
	Applied storage.Applied
}

// frozen is a shard's contents, encoded.
type frozen struct {
	applied storage.Applied
	rest    []byte
}

// Size implements storage.Store, by contents alone.
func (s *Store) Size(id storage.ShardID) (bytes uint64, err error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, e := range s.shards[id].entries.rows {
		bytes += uint64(len(e.Content))
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
	enc := gob.NewEncoder(&out)
	err := enc.Encode(header{id, sh.replica.Applied})
	for _, t := range sh.all {
		err = errors.Join(err, t.save(enc))
	}
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
	found  header
	tables tables
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
	dec := gob.NewDecoder(in)
	err := dec.Decode(&g.found)
	g.tables = newTables()
	for _, t := range g.tables.all {
		if err == nil {
			err = t.load(dec)
		}
	}
	if err != nil || in.Len() > 0 || g.found.Shard != g.shard {
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
	now.tables, now.log, now.generation = g.tables, nil, sh.generation+1
	now.replica.Applied, now.replica.Base, now.replica.Last = c.Applied, c.Applied.Position, c.Applied.Index
	if s.TearInstall {
		none := now
		none.tables, none.replica.Applied, none.replica.Base, none.replica.Last = newTables(), storage.Applied{}, storage.Position{}, 0
		s.undo = append(s.undo, func() { *sh = none })
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
