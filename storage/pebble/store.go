// Package pebble keeps a node's shards in one Pebble database: their logs, what
// the replicas must remember, and the rows. It is the only package that knows
// Pebble; keys.go draws the key layout. The replication host calls it, each
// shard's batches from one goroutine and the rest from any; all of it may block
// on the disk.
package pebble

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/bloom"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/parley-im/parley/storage"
)

// diskFormat is Pebble's version of its files. It is a number of ours, so that a
// newer Pebble does not change the files by itself, after which an older release
// could not read them: 24 is the newest that Pebble 2.1 has. Below 18, installing a
// snapshot makes all other shards' writes wait (docs/adr/0008). Whoever raises it
// raises storage.Format too.
const diskFormat = pebble.FormatMajorVersion(24)

// memTableSize is 64 MiB: with 4 MiB a loaded node spent its time flushing and
// reached less than half the throughput.
const memTableSize = 64 << 20

// stopWrites is how many full memtables may wait to be flushed before commits
// do: with Pebble's 2, a burst on a busy disk stalls long enough to cost a
// leader its shards.
const stopWrites = 4

// filter spares reads of tables that do not have a key: 10 bits a key.
var filter = bloom.FilterPolicy(10)

// blockCacheSize bounds the memory for blocks read from tables.
const blockCacheSize = 64 << 20

// ErrNewerFormat says that the data was written by a newer release.
var ErrNewerFormat = errors.New("the data directory has a newer storage format than this release reads; use the newer release")

// ErrShards says that the data was written with another number of shards.
var ErrShards = errors.New("the number of shards is fixed when a data directory is first used")

// ErrDiskFull says that nothing can be written any more.
var ErrDiskFull = errors.New("the disk is full")

// Options says where and how to open a store.
type Options struct {
	Dir string
	// FS is the real disk when nil; tests bring one that crashes.
	FS vfs.FS
	// Shards is S, written into a new store and compared with an old one's.
	Shards int
	// Node names a new store; a random name when empty.
	Node storage.NodeID
	// Failed is called, from any goroutine, when the disk is full: Pebble itself
	// would wait for room without an end. It must end the process. The default
	// panics.
	Failed func(error)
	Logger *slog.Logger
}

// Store is a storage.Store in one Pebble database.
type Store struct {
	db     *pebble.DB
	fs     vfs.FS
	logs   *syncedLogs
	opts   *pebble.Options
	dir    string
	node   storage.NodeID
	shards int
	states []*state // by shard
	staged atomic.Uint64
}

var _ storage.Store = (*Store)(nil)

// Open opens or creates the store in a directory. Errors: ErrNewerFormat,
// ErrShards, ErrDamagedLog, a directory in use, a damaged or unreadable disk.
func Open(o Options) (*Store, error) {
	cache := pebble.NewCache(blockCacheSize)
	defer cache.Unref()
	fs := o.FS
	if fs == nil {
		fs = vfs.Default
	}
	if o.Failed == nil {
		o.Failed = func(err error) { panic(err) }
	}
	fs = &patient{FS: fs, log: o.Logger, sleep: time.Sleep}
	fs = vfs.OnDiskFull(fs, func() { o.Failed(ErrDiskFull) })
	logs := &syncedLogs{FS: orderedMarkers{fs}}
	opts := &pebble.Options{
		FS:                          logs,
		Cache:                       cache,
		MemTableSize:                memTableSize,
		MemTableStopWritesThreshold: stopWrites,
		FormatMajorVersion:          diskFormat,
		Logger:                      logger{o.Logger},
	}
	for i := range opts.Levels {
		opts.Levels[i].FilterPolicy = filter
	}
	opts.EnsureDefaults() // tables that are staged are written with them too
	s := &Store{fs: fs, logs: logs, opts: opts, dir: o.Dir, shards: o.Shards}
	db, err := pebble.Open(o.Dir, opts)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open the data directory %s: %w", o.Dir, err), logs.Close())
	}
	s.db = db
	if err := s.start(o.Node); err != nil {
		return nil, errors.Join(fmt.Errorf("open the data directory %s: %w", o.Dir, err), s.Close())
	}
	return s, nil
}

// start looks at the format, deletes what was staged and never installed, and
// loads the replicas.
func (s *Store) start(node storage.NodeID) error {
	if err := s.checkFormat(node); err != nil {
		return err
	}
	if err := s.fs.RemoveAll(s.stagingDir()); err != nil {
		return err
	}
	return s.load()
}

// load reads what the store remembers of each shard, and ends what a crash left
// of a Destroy.
func (s *Store) load() error {
	for shard := 0; shard <= s.shards; shard++ {
		st := newState(s, storage.ShardID(shard))
		s.states = append(s.states, st)
		if err := st.load(); err != nil {
			return fmt.Errorf("shard %d: %w", shard, err)
		}
		if err := st.finishDestroy(); err != nil {
			return fmt.Errorf("shard %d: %w", shard, err)
		}
	}
	return nil
}

// checkFormat writes format and shards into a new store and holds an old one
// against them.
func (s *Store) checkFormat(node storage.NodeID) error {
	format, err := s.getNumber(keyFormat)
	if err != nil {
		return err
	}
	if format > storage.Format {
		return fmt.Errorf("%w (format %d, this release reads %d)", ErrNewerFormat, format, storage.Format)
	}
	if format == 0 {
		if err := s.create(node); err != nil {
			return err
		}
	}
	if s.node, err = s.readNode(); err != nil {
		return err
	}
	shards, err := s.getNumber(keyShards)
	if err == nil && shards != uint64(s.shards) {
		err = fmt.Errorf("%w: it has %d, configured are %d", ErrShards, shards, s.shards)
	}
	return err
}

// create makes a store of an empty one.
func (s *Store) create(node storage.NodeID) error {
	if node == "" {
		var id [16]byte
		_, _ = rand.Read(id[:]) // never fails
		node = storage.NodeID(hex.EncodeToString(id[:]))
	}
	b := s.db.NewBatch()
	defer b.Close()
	return errors.Join(b.Set(keyFormat, number(storage.Format), nil), b.Set(keyNode, []byte(node), nil),
		b.Set(keyShards, number(uint64(s.shards)), nil), b.Commit(pebble.Sync))
}

func (s *Store) readNode() (storage.NodeID, error) {
	v, closer, err := s.db.Get(keyNode)
	if err != nil {
		return "", err
	}
	return storage.NodeID(v), closer.Close()
}

// Node implements storage.Store.
func (s *Store) Node() storage.NodeID { return s.node }

// Lineage implements storage.Store.
func (s *Store) Lineage() ([]byte, error) {
	v, closer, err := s.db.Get(keyLineage)
	if errors.Is(err, pebble.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, damaged(err)
	}
	return bytes.Clone(v), closer.Close()
}

// SetLineage implements storage.Store.
func (s *Store) SetLineage(lineage []byte, sync bool) error {
	return s.db.Set(keyLineage, lineage, &pebble.WriteOptions{Sync: sync})
}

// Close implements storage.Store.
func (s *Store) Close() error {
	return errors.Join(s.db.Close(), s.logs.Close())
}

func number(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }

// getNumber reads an eight-byte row, 0 when absent.
func (s *Store) getNumber(key []byte) (uint64, error) { return getNumber(s.db, key) }

// getNumber reads a number, 0 where there is none.
func getNumber(from pebble.Reader, key []byte) (uint64, error) {
	v, closer, err := from.Get(key)
	if errors.Is(err, pebble.ErrNotFound) {
		return 0, nil
	}
	if err != nil {
		return 0, damaged(err)
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
