package pebble

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/objstorage/objstorageprovider"
	"github.com/cockroachdb/pebble/v2/sstable"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/parley-im/parley/proto/logpb"
	"github.com/parley-im/parley/storage"
)

// stagedFileSize is about how large the tables of a staged shard get.
const stagedFileSize = 32 << 20

// A chunk is a row after the other: uvarint length and key without the shard's
// prefix, uvarint length and value. Rows travel, not tables: a receiver writes
// tables of the format that its own release reads.

// frozen is an open iterator over the shard's contents. Pebble keeps for it
// whatever it was opened on, which a snapshot of Pebble's does not get when the
// range is excised.
type frozen struct {
	it      *pebble.Iterator
	applied storage.Applied
	log     []byte // prefix of the log's keys
	base    []byte // key of the log's base
	ok      bool   // it stands on a row
}

// Freeze implements storage.Store.
func (s *Store) Freeze(shard storage.ShardID) (storage.Frozen, error) {
	from, to := shardSpan(shard)
	it, err := s.db.NewIter(&pebble.IterOptions{LowerBound: from, UpperBound: to})
	if err != nil {
		return nil, err
	}
	f := &frozen{it: it, log: appendOwn(nil, shard, tableLog), base: appendOwn(nil, shard, tableLogBase)}
	if err := f.readApplied(shard); err != nil {
		return nil, errors.Join(fmt.Errorf("freeze shard %d: %w", shard, err), it.Close())
	}
	f.ok = it.First()
	return f, nil
}

func (f *frozen) readApplied(shard storage.ShardID) error {
	key := appendOwn(nil, shard, tableApplied)
	if !f.it.SeekGE(key) || !bytes.Equal(f.it.Key(), key) {
		return errors.Join(errors.New("it has no applied index"), f.it.Error())
	}
	value, err := f.it.ValueAndErr()
	if err != nil {
		return err
	}
	var row logpb.Position
	if err := row.UnmarshalVT(value); err != nil {
		return err
	}
	f.applied.Position = storage.Position{Index: row.Index, Term: storage.Term(row.Term)}
	key = appendOwn(nil, shard, tableDescriptor)
	if f.it.SeekGE(key) && bytes.Equal(f.it.Key(), key) {
		if value, err = f.it.ValueAndErr(); err != nil {
			return err
		}
		f.applied.Descriptor = bytes.Clone(value)
	}
	return f.it.Error()
}

// Applied implements storage.Frozen.
func (f *frozen) Applied() storage.Applied { return f.applied }

// Next implements storage.Frozen. The log stays behind: it begins at the
// applied index where the rows go.
func (f *frozen) Next(size int) ([]byte, error) {
	var out []byte
	for f.ok && len(out) < size {
		key := f.it.Key()
		if bytes.HasPrefix(key, f.log) {
			f.ok = f.it.SeekGE(prefixEnd(f.log))
			continue
		}
		value, err := f.it.ValueAndErr()
		if err != nil {
			return nil, err
		}
		if bytes.Equal(key, f.base) {
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
	if len(out) == 0 {
		return nil, io.EOF
	}
	return out, nil
}

// Close implements storage.Frozen.
func (f *frozen) Close() error { return f.it.Close() }

func (s *Store) stagingDir() string { return s.fs.PathJoin(s.dir, "staging") }

// staging writes the rows of one shard into tables beside the database.
//
// Invariants: keys ascend across all files; out is the last of files, and nil
// when that is finished.
type staging struct {
	store   *Store
	shard   storage.ShardID
	dir     string
	files   []string
	out     *sstable.Writer
	last    []byte // key
	applied storage.Applied
	has     [2]bool // applied, log base
}

// Stage implements storage.Store.
func (s *Store) Stage(shard storage.ShardID) (storage.Staging, error) {
	g := &staging{store: s, shard: shard, dir: s.fs.PathJoin(s.stagingDir(), fmt.Sprintf("%d-%d", shard, s.staged.Add(1)))}
	if err := s.fs.MkdirAll(g.dir, 0o755); err != nil {
		return nil, fmt.Errorf("stage shard %d: %w", shard, err)
	}
	return g, nil
}

// Write implements storage.Staging.
func (g *staging) Write(chunk []byte) error {
	prefix, _ := shardSpan(g.shard)
	for len(chunk) > 0 {
		var key, value []byte
		var ok bool
		if key, chunk, ok = cutSized(chunk); !ok {
			return storage.ErrMalformed
		}
		if value, chunk, ok = cutSized(chunk); !ok {
			return storage.ErrMalformed
		}
		if err := g.row(append(prefix[:shardPrefixLen:shardPrefixLen], key...), value); err != nil {
			return err
		}
	}
	return nil
}

func cutSized(b []byte) (head, rest []byte, ok bool) {
	n, read := binary.Uvarint(b)
	if read <= 0 || n > uint64(len(b)-read) {
		return nil, nil, false
	}
	return b[read : read+int(n)], b[read+int(n):], true
}

// row writes one row.
func (g *staging) row(key, value []byte) error {
	if len(key) < shardPrefixLen+5 || g.last != nil && bytes.Compare(key, g.last) <= 0 {
		return storage.ErrMalformed
	}
	if err := g.note(key, value); err != nil {
		return err
	}
	if g.out == nil {
		if err := g.open(); err != nil {
			return err
		}
	}
	g.last = append(g.last[:0], key...)
	if err := g.out.Set(key, value); err != nil {
		return err
	}
	if g.out.Raw().EstimatedSize() >= stagedFileSize {
		return g.finish()
	}
	return nil
}

// note looks at the rows that say how far the contents go.
func (g *staging) note(key, value []byte) error {
	if !bytes.HasPrefix(key[shardPrefixLen:], []byte{0, 0, 0, 0}) {
		return nil
	}
	var p logpb.Position
	switch key[shardPrefixLen+4] {
	case tableLog:
		return storage.ErrMalformed
	case tableDescriptor:
		g.applied.Descriptor = bytes.Clone(value)
	case tableApplied, tableLogBase:
		if p.UnmarshalVT(value) != nil {
			return storage.ErrMalformed
		}
		if key[shardPrefixLen+4] == tableLogBase {
			g.has[1] = p.Index == g.applied.Index
			return nil
		}
		g.applied.Position, g.has[0] = storage.Position{Index: p.Index, Term: storage.Term(p.Term)}, true
	}
	return nil
}

func (g *staging) open() error {
	name := g.store.fs.PathJoin(g.dir, fmt.Sprintf("%06d.sst", len(g.files)))
	f, err := g.store.fs.Create(name, vfs.WriteCategoryUnspecified)
	if err != nil {
		return err
	}
	g.files = append(g.files, name)
	g.out = sstable.NewWriter(objstorageprovider.NewFileWritable(f), g.store.opts.MakeWriterOptions(6, g.store.db.TableFormat()))
	return nil
}

// finish makes the open table durable.
func (g *staging) finish() error {
	if g.out == nil {
		return nil
	}
	err := g.out.Close()
	g.out = nil
	return err
}

// Seal implements storage.Staging.
func (g *staging) Seal() (storage.Applied, error) {
	if err := g.finish(); err != nil {
		return storage.Applied{}, err
	}
	if !g.has[0] || !g.has[1] {
		return storage.Applied{}, storage.ErrMalformed
	}
	return g.applied, errors.Join(g.store.syncDir(g.dir), g.store.syncDir(g.store.stagingDir()))
}

func (s *Store) syncDir(name string) error {
	d, err := s.fs.OpenDir(name)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// Discard implements storage.Staging.
func (g *staging) Discard() error {
	if g.out != nil {
		_ = g.out.Close()
		g.out = nil
	}
	return g.store.fs.RemoveAll(g.dir)
}

// Install implements storage.Store. Pebble replaces the range by the tables in
// one step of its manifest.
func (s *Store) Install(shard storage.ShardID, from storage.Staging) error {
	g, ok := from.(*staging)
	if !ok || g.shard != shard || g.out != nil || !g.has[0] {
		return fmt.Errorf("install shard %d: %w", shard, storage.ErrMalformed)
	}
	lower, upper := shardSpan(shard)
	if _, err := s.db.IngestAndExcise(context.Background(), g.files, nil, nil, pebble.KeyRange{Start: lower, End: upper}); err != nil {
		return fmt.Errorf("install shard %d: %w", shard, err)
	}
	return errors.Join(s.states[shard].load(), g.Discard())
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

// empty deletes a removed replica's contents.
func (s *state) empty() error {
	lower, upper := shardSpan(s.shard)
	if err := s.store.db.Excise(context.Background(), pebble.KeyRange{Start: lower, End: upper}); err != nil {
		return fmt.Errorf("destroy shard %d: %w", s.shard, err)
	}
	return s.load()
}
