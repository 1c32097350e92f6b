package pebble

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/cespare/xxhash/v2"
	"github.com/cockroachdb/pebble/v2/objstorage/objstorageprovider"
	"github.com/cockroachdb/pebble/v2/sstable"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/parley-im/parley/proto/logpb"
	"github.com/parley-im/parley/storage"
)

// stagedFileSize is about how large the tables of a staged shard get.
const stagedFileSize = 32 << 20

func (s *Store) stagingDir() string { return s.fs.PathJoin(s.dir, "staging") }

// staging writes the rows of one shard into tables beside the database.
//
// Invariants: keys ascend across all files; out is the last of files, and nil
// when that is finished; a sealed staging is whole, durable and was read back.
type staging struct {
	store   *Store
	shard   storage.ShardID
	dir     string
	files   []*stagedFile
	out     *sstable.Writer
	last    []byte // key
	applied storage.Applied
	has     [2]bool // applied, log base
	sealed  bool
}

// stagedFile sums up what is written to it.
type stagedFile struct {
	vfs.File
	path string
	sum  *xxhash.Digest
}

// Write implements vfs.File.
func (f *stagedFile) Write(b []byte) (int, error) {
	_, _ = f.sum.Write(b) // never fails; before the file, which may change b
	return f.File.Write(b)
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
	if len(chunk) <= chunkHead || storage.ShardID(binary.BigEndian.Uint16(chunk)) != g.shard {
		return storage.ErrMalformed
	}
	prefix, _ := shardSpan(g.shard)
	for chunk = chunk[chunkHead:]; len(chunk) > 0; {
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
	if len(key) < ownPrefixLen || g.last != nil && bytes.Compare(key, g.last) <= 0 {
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
	table := key[ownPrefixLen-1]
	if table == tableLog || table >= tableApplied && table <= tableDocument && len(key) != ownPrefixLen {
		return storage.ErrMalformed
	}
	var p logpb.Position
	switch table {
	case tableDescriptor:
		g.applied.Descriptor = bytes.Clone(value)
	case tableApplied, tableLogBase:
		if p.UnmarshalVT(value) != nil {
			return storage.ErrMalformed
		}
		at := storage.Position{Index: p.Index, Term: storage.Term(p.Term)}
		if table == tableLogBase {
			g.has[1] = at == g.applied.Position
			return nil
		}
		g.applied.Position, g.has[0] = at, true
	}
	return nil
}

func (g *staging) open() error {
	name := g.store.fs.PathJoin(g.dir, fmt.Sprintf("%06d.sst", len(g.files)))
	f, err := g.store.fs.Create(name, vfs.WriteCategoryUnspecified)
	if err != nil {
		return err
	}
	staged := &stagedFile{File: f, path: name, sum: xxhash.New()}
	g.files = append(g.files, staged)
	g.out = sstable.NewWriter(objstorageprovider.NewFileWritable(staged), g.store.opts.MakeWriterOptions(6, g.store.db.TableFormat()))
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

// Seal implements storage.Staging. The tables are read back here rather than by
// Install, which holds up the other shards of its worker.
func (g *staging) Seal() (storage.Applied, error) {
	if err := g.finish(); err != nil {
		return storage.Applied{}, err
	}
	if !g.has[0] || !g.has[1] {
		return storage.Applied{}, storage.ErrMalformed
	}
	for _, f := range g.files {
		if err := g.store.verify(f); err != nil {
			return storage.Applied{}, err
		}
	}
	err := errors.Join(g.store.syncDir(g.dir), g.store.syncDir(g.store.stagingDir()))
	g.sealed = err == nil
	return g.applied, err
}

// verify reads a table back and compares it with what was written.
func (s *Store) verify(f *stagedFile) error {
	in, err := s.fs.Open(f.path, vfs.SequentialReadsOption)
	if err != nil {
		return err
	}
	sum := xxhash.New()
	_, err = io.Copy(sum, in)
	if err == nil && sum.Sum64() != f.sum.Sum64() {
		err = fmt.Errorf("the staged table %s is not what was written", f.path)
	}
	return errors.Join(err, in.Close())
}

// paths names the tables.
func (g *staging) paths() []string {
	out := make([]string, len(g.files))
	for i, f := range g.files {
		out[i] = f.path
	}
	return out
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
	g.sealed = false
	if g.out != nil {
		_ = g.out.Close()
		g.out = nil
	}
	return g.store.fs.RemoveAll(g.dir)
}
