// Package pebble keeps a node's shards in one Pebble database. It is the only
// package that knows Pebble; keys.go draws the key layout. The replication
// host calls it from one goroutine for batches and from any for views; both
// may block on the disk.
package pebble

import (
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/bloom"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/parley-im/parley/storage"
)

// memTableSize is 64 MiB: with 4 MiB a loaded node spent its time flushing and
// reached less than half the throughput.
const memTableSize = 64 << 20

// blockCacheSize bounds the memory for blocks read from tables.
const blockCacheSize = 64 << 20

// ErrNewerFormat says that the data was written by a newer release.
var ErrNewerFormat = errors.New("the data directory has a newer storage format than this release reads; use the newer release")

// ErrShards says that the data was written with another number of shards.
var ErrShards = errors.New("the number of shards is fixed when a data directory is first used")

// Options says where and how to open a store.
type Options struct {
	Dir string
	// FS is the real disk when nil; tests bring one that crashes.
	FS vfs.FS
	// Shards is S, written into a new store and compared with an old one's.
	Shards int
	Logger *slog.Logger
}

// Store is a storage.Store in one Pebble database.
type Store struct {
	db      *pebble.DB
	durable durable
	shards  int
	states  map[storage.ShardID]*state
	open    bool // a batch is open
}

var _ storage.Store = (*Store)(nil)

// Open opens or creates the store in a directory. Errors: ErrNewerFormat,
// ErrShards, a directory in use, a damaged or unreadable disk.
func Open(o Options) (*Store, error) {
	cache := pebble.NewCache(blockCacheSize)
	defer cache.Unref()
	fs := o.FS
	if fs == nil {
		fs = vfs.Default
	}
	opts := &pebble.Options{
		FS:                 orderedMarkers{fs},
		Cache:              cache,
		MemTableSize:       memTableSize,
		FormatMajorVersion: pebble.FormatNewest,
		Logger:             logger{o.Logger},
	}
	for i := range opts.Levels {
		opts.Levels[i].FilterPolicy = bloom.FilterPolicy(10)
	}
	db, err := pebble.Open(o.Dir, opts)
	if err != nil {
		return nil, fmt.Errorf("open the data directory %s: %w", o.Dir, err)
	}
	s := &Store{db: db, shards: o.Shards, states: make(map[storage.ShardID]*state)}
	if err := s.checkFormat(); err != nil {
		return nil, errors.Join(fmt.Errorf("open the data directory %s: %w", o.Dir, err), db.Close())
	}
	return s, s.durable.advance(db)
}

// checkFormat writes format and shards into a new store and holds an old one
// against them.
func (s *Store) checkFormat() error {
	format, err := s.getNumber(keyFormat)
	if err != nil {
		return err
	}
	if format > storageFormat {
		return fmt.Errorf("%w (format %d, this release reads %d)", ErrNewerFormat, format, storageFormat)
	}
	if format == 0 {
		b := s.db.NewBatch()
		defer b.Close()
		if err := errors.Join(b.Set(keyFormat, number(storageFormat), nil), b.Set(keyShards, number(uint64(s.shards)), nil)); err != nil {
			return err
		}
		return b.Commit(pebble.Sync)
	}
	shards, err := s.getNumber(keyShards)
	if err == nil && shards != uint64(s.shards) {
		err = fmt.Errorf("%w: it has %d, configured are %d", ErrShards, shards, s.shards)
	}
	return err
}

// NextTerm implements storage.Store.
func (s *Store) NextTerm() (storage.Term, error) {
	last, err := s.getNumber(keyTerm)
	if err != nil {
		return 0, err
	}
	if err := s.db.Set(keyTerm, number(last+1), pebble.Sync); err != nil {
		return 0, err
	}
	return storage.Term(last + 1), nil
}

// Close implements storage.Store.
func (s *Store) Close() error {
	return errors.Join(s.durable.release(s.durable.now), s.db.Close())
}

func number(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }

// getNumber reads an eight-byte row, 0 when absent.
func (s *Store) getNumber(key []byte) (uint64, error) {
	v, closer, err := s.db.Get(key)
	if errors.Is(err, pebble.ErrNotFound) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	defer closer.Close()
	if len(v) != 8 {
		return 0, fmt.Errorf("row %x has %d bytes, want 8", key, len(v))
	}
	return binary.BigEndian.Uint64(v), nil
}

// logger hands Pebble's messages to slog: its chatter as debug, its errors as
// errors. Fatalf ends the process, as Pebble expects of it.
type logger struct{ log *slog.Logger }

func (l logger) Infof(format string, args ...any) {
	if l.log != nil {
		l.log.Debug(fmt.Sprintf(format, args...))
	}
}

func (l logger) Errorf(format string, args ...any) {
	if l.log != nil {
		l.log.Error(fmt.Sprintf(format, args...))
	}
}

func (l logger) Fatalf(format string, args ...any) {
	panic(fmt.Sprintf("pebble: "+format, args...))
}
