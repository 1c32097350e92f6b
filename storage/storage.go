// Package storage says what actors and the replication host expect of durable
// state: shards and how identities map to them, the Replicator that commands
// are proposed to, and the Store that it applies them in. storage/pebble and
// storage/memory implement Store, cluster/replication implements Replicator;
// storagetest holds the contract of both. Nothing here blocks.
package storage

import (
	"encoding/binary"
	"errors"

	"github.com/cespare/xxhash/v2"

	"github.com/parley-im/parley/chat"
)

// ShardID numbers a shard: 0 is the meta group, 1 to S hold users and
// conversations.
type ShardID uint16

// MetaShard is the shard whose document describes the cluster: its nodes and
// what becomes of them. It holds nothing else.
const MetaShard ShardID = 0

// Term numbers a leadership of a shard; it only grows. Whatever was proposed
// or activated under an older term is refused.
type Term uint64

// DefaultShards is S for a cluster that sets none. S is fixed when the first
// node writes its store.
const DefaultShards = 128

// UserShard is where a user's profile and conversation set live.
func UserShard(shards int, u chat.UserKey) ShardID {
	return shardOf(shards, u.App, 0, u.ID)
}

// ConversationShard is where a conversation's log lives.
func ConversationShard(shards int, c chat.ConversationKey) ShardID {
	return shardOf(shards, c.App, c.Kind, c.ID)
}

// AddresseeShard is where an effect for a user or a conversation is applied.
func AddresseeShard(shards int, to chat.Addressee) ShardID {
	if to.User == (chat.UserKey{}) {
		return ConversationShard(shards, to.Conversation)
	}
	return UserShard(shards, to.User)
}

// shardOf is 1 + XXH64(seed 0, length-prefixed app, kind, id) mod S.
func shardOf(shards int, app chat.AppID, kind chat.Kind, id string) ShardID {
	var buf [96]byte
	b := append(buf[:0], 4, byte(app>>24), byte(app>>16), byte(app>>8), byte(app), 1, byte(kind), byte(len(id)))
	b = append(b, id...)
	return ShardID(1 + xxhash.Sum64(b)%uint64(shards))
}

// Replicator makes commands durable and agreed. All methods may be called from
// any goroutine and none of them blocks; done functions run on the
// replicator's goroutines and must not block either.
type Replicator interface {
	// Shards is S.
	Shards() int

	// Leader is the term in which this node leads the shard; an error with
	// CodeUnavailable when it does not.
	Leader(ShardID) (Term, error)

	// Propose has the commands applied in order, next to each other, by the
	// leader of the term, and calls done exactly once. Without an error they
	// are durable on a quorum and applied. CodeBusy and CodeUnavailable mean
	// that nothing was done; CodeTimeout that the outcome is unknown.
	Propose(shard ShardID, term Term, commands []chat.CommandBody, done func(Outcome, error))

	// Read calls read with a view that shows at least everything acknowledged
	// before the call, by whichever leader, or calls done with an error without
	// calling read: CodeUnavailable when this node does not lead the shard,
	// CodeBusy when too much waits, or for too long. The view is gone when read
	// returns; read may use the disk, for some milliseconds.
	Read(shard ShardID, by Asker, read func(View) error, done func(error))
}

// Outcome is what a proposal gave: a result for each command, and all events
// in order. Both belong to the receiver.
type Outcome struct {
	Results []chat.Result
	Events  []chat.Event
}

// Rank is the rendezvous hash of a shard and a node: every shard has an order of
// nodes of its own, the lowest first.
func Rank(s ShardID, n NodeID) uint64 {
	var buf [64]byte
	return xxhash.Sum64(append(binary.BigEndian.AppendUint16(buf[:0], uint16(s)), n...))
}

// Store keeps a node's replicas: for each shard the rows that its log has led
// to, the log's end, and what the replica must remember to vote. A node's
// workers each own some of the shards; one shard is never in two open batches.
// Views, Log and Freeze may be used beside batches from any goroutine.
//
// All that concerns a shard's contents (rows, Applied, Base, log) lies in one
// key range that Install and Destroy replace at once; ID and HardState lie
// outside of it. Writes become durable in the order of their commits, across
// shards and workers: what a power cut takes is an end of that order.
type Store interface {
	// Node is the store's name, made with the store: a wiped disk is a new node.
	Node() NodeID
	// Lineage is what SetLineage stored last, nil when it never did: the life of
	// the store itself, as cluster/lineage writes it. A store that is opened
	// again has what was set with sync, and all commits before it.
	Lineage() ([]byte, error)
	SetLineage(lineage []byte, sync bool) error
	// Replicas lists the shards that have a replica here, ascending.
	Replicas() ([]ShardID, error)
	// Replica gives what the store remembers of a shard's replica: zero when
	// there never was one.
	Replica(ShardID) (Replica, error)
	// Log gives committed entries with from <= Index < to in ascending order,
	// fewer when their data exceeds maxBytes, but at least one. ErrTruncated
	// when from is not above Base, ErrNoEntry when the log does not hold it.
	Log(shard ShardID, from, to uint64, maxBytes int) ([]LogEntry, error)

	// Batch begins a batch over any number of shards.
	Batch() Batch
	// View reads what was committed in a shard, synced or not. It must be
	// closed. A view that is open while its shard is installed or destroyed may
	// miss rows: Close then says ErrGone.
	View(ShardID) (View, error)

	// Size is about how many bytes of the disk a shard's contents take; what was
	// committed since the store was opened may be missing.
	Size(ShardID) (uint64, error)

	// Freeze pins a shard's contents as committed, without the log, for a
	// snapshot that is sent to another node. It stays whole whatever happens to
	// the shard; only Destroy and Install of the shard may make it fail.
	Freeze(ShardID) (Frozen, error)
	// Stage begins to collect a shard's contents; an open of the store deletes
	// what was staged and not installed.
	Stage(ShardID) (Staging, error)
	// Install durably replaces a shard's contents by those staged and sealed,
	// with an empty log after them: after a crash at any point the shard has the
	// old contents or the new ones. The staging is used up. No batch may be open
	// that touches the shard, and its HardState must be durable.
	Install(ShardID, Staging) error
	// Destroy durably makes the shard's replica a tombstone: first its Replica
	// row with Removed set, then its contents go. The ID remains.
	Destroy(ShardID) error

	// Close waits for nothing: no batch, view or frozen shard may be open.
	Close() error
}

// Document is a text that a shard keeps as a whole, beside its rows. Stores do
// not read it.
type Document struct {
	Version uint64 // counts its changes; 0: there never was one
	Content []byte
}

// ErrConflict says that a document was not replaced, as it has another version
// than expected.
var ErrConflict = errors.New("storage: the document has changed meanwhile")

// ErrDamaged is in the error of a read whose disk fails or gives back other bytes
// than were written. Another replica may have them.
var ErrDamaged = errors.New("storage: the disk cannot be read")

// ErrOutdated says that other nodes know a later state of this store than it
// has: it was put back from a copy, or another process runs on a copy of it. It
// has forgotten what it acknowledged and must not be used again.
var ErrOutdated = errors.New("this folder is older than what the cluster knows of it: wipe it and start it as a new node")

// Batch gathers writes of many shards for one commit.
type Batch interface {
	// State is the shard's rows as the batch leaves them. It must not be used
	// after Commit or Discard.
	State(ShardID) *chat.State
	// Create makes a replica with an empty log and no rows, whose Base and
	// Applied are given. The shard has none, or a tombstone of a lower ID.
	Create(shard ShardID, id ReplicaID, a Applied)
	// Append adds entries to the log, the first at most one after its end:
	// they replace whatever the log holds from the first one's Index on.
	Append(shard ShardID, entries []LogEntry)
	SetHardState(ShardID, HardState)
	// SetApplied says how far the rows go: to an entry of the log or to its base.
	SetApplied(ShardID, Applied)
	// Document is the shard's document as the batch leaves it, and SetDocument
	// replaces it; the content is never changed once handed over.
	Document(ShardID) Document
	SetDocument(ShardID, Document)
	// Truncate deletes the log up to and including an applied entry.
	Truncate(shard ShardID, base Position)
	// Err is the first failure of a read or write of the batch so far: what
	// Commit would give without trying. Results of Apply then mean nothing.
	Err() error
	// Commit applies everything at once, or nothing; with sync it is durable,
	// and all commits before it, when Commit returns. After an error the store
	// must be closed: what the disk holds is not known.
	Commit(sync bool) error
	// Discard drops everything.
	Discard()
}

// View is a read-only look at one shard. Results belong to the caller.
type View interface {
	User(chat.UserKey) (chat.User, bool, error)
	Head(chat.ConversationKey) (chat.Head, bool, error)
	// Entries gives entries with after < Seq < before (before 0: no bound) in
	// ascending order: the first limit of them, or the last when newest.
	Entries(c chat.ConversationKey, after, before uint64, limit int, newest bool) ([]chat.Entry, error)
	// Changes gives the conversation's changes after a rev, in order: at most limit.
	Changes(c chat.ConversationKey, after uint64, limit int) ([]chat.Change, error)
	// Memberships calls visit for each conversation of the user, in no
	// particular order, until it returns false.
	Memberships(u chat.UserKey, visit func(chat.ConversationKey, chat.Membership) bool) error
	// Membership is the row for one conversation.
	Membership(chat.UserKey, chat.ConversationKey) (chat.Membership, bool, error)
	// Effects gives the oldest undelivered effects for a destination, at most
	// limit, and the number of the first.
	Effects(destination ShardID, limit int) (first uint64, effects []chat.Effect, err error)
	// Undelivered lists the destinations that effects wait for, ascending.
	Undelivered() ([]ShardID, error)
	// Document is the shard's document, zero when none was ever set.
	Document() (Document, error)
	Close() error
}
