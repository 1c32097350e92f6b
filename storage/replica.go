package storage

import (
	"errors"
	"io"
)

// NodeID names a node: a random text made with its data directory.
type NodeID string

// ReplicaID numbers a replica of a shard: 1, 2, 3 ... in the order in which the
// shard's log took them in, never given out twice. 0 is none.
type ReplicaID uint64

// Position is a place in a shard's log: an entry's index and term.
type Position struct {
	Index uint64
	Term  Term
}

// LogEntry is one entry of a shard's log.
type LogEntry struct {
	Position
	// Kind is the replication host's; stores only keep it.
	Kind uint8
	// Data is never changed once handed over.
	Data []byte
}

// HardState is what a replica must not forget before it answers another one.
type HardState struct {
	Term   Term
	Vote   ReplicaID
	Commit uint64 // an index; may lag behind
}

// Applied says how much of its log a shard's rows include.
type Applied struct {
	Position
	// Descriptor is the shard's configuration there, an encoded
	// logpb.Descriptor; stores only keep it.
	Descriptor []byte
}

// Replica is what a store remembers of a shard's replica beside rows and
// entries.
//
// Invariants: Base.Index <= Applied.Index <= Last; the log holds the entries
// (Base.Index, Last].
type Replica struct {
	ID ReplicaID // 0: there never was one
	// Removed marks a tombstone: everything but ID is zero.
	Removed bool
	HardState
	Applied Applied
	Base    Position
	Last    uint64
}

// Errors of the log and of snapshots.
var (
	ErrTruncated = errors.New("storage: the log does not go back that far")
	ErrNoEntry   = errors.New("storage: the log does not hold that entry")
	ErrGone      = errors.New("storage: the shard's contents were replaced meanwhile")
	ErrMalformed = errors.New("storage: a snapshot's chunk does not hold rows of its shard")
)

// Frozen is a shard's contents at one point, read once from the front.
type Frozen interface {
	// Applied is the point.
	Applied() Applied
	// Next gives the next rows, encoded, in a chunk of about size bytes that
	// belongs to the caller; io.EOF after the last one.
	Next(size int) ([]byte, error)
	io.Closer
}

// Staging collects the chunks of a frozen shard of another node.
type Staging interface {
	// Write takes the next chunk, of which nothing is kept. ErrMalformed when it
	// is none or has a row of another shard.
	Write(chunk []byte) error
	// Seal says that all chunks were written and makes them durable. What is
	// then staged says how much of the log it includes.
	Seal() (Applied, error)
	// Discard drops what was staged; after Install it does nothing.
	Discard() error
}
