// Package storage says what actors and the replication host expect of durable
// state: shards and how identities map to them, the Replicator that commands
// are proposed to, and the Store that it applies them in. storage/pebble and
// storage/memory implement Store, cluster/replication implements Replicator;
// storagetest holds the contract of both. Nothing here blocks.
package storage

import (
	"github.com/cespare/xxhash/v2"

	"github.com/parley-im/parley/chat"
)

// ShardID numbers a shard: 0 is the meta group, 1 to S hold users and
// conversations.
type ShardID uint16

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
	// before the call, or done's error without calling it. The view is gone
	// when read returns; read may use the disk.
	Read(shard ShardID, read func(View) error, done func(error))
}

// Outcome is what a proposal gave: a result for each command, and all events
// in order. Both belong to the receiver.
type Outcome struct {
	Results []chat.Result
	Events  []chat.Event
}

// Store keeps the applied state of a node's shards. One batch at a time is
// open; views may be used beside it from any goroutine.
type Store interface {
	// Batch begins a batch over any number of shards.
	Batch() Batch
	// View reads what was committed in a shard. It must be closed.
	View(ShardID) (View, error)
	// NextTerm durably counts up and returns the number of this start of the
	// store: 1 the first time.
	NextTerm() (Term, error)
	// Close waits for nothing: no batch or view may be open.
	Close() error
}

// Batch gathers writes of many shards for one synced commit.
type Batch interface {
	// State is the shard as the batch leaves it. It must not be used after
	// Commit or Discard.
	State(ShardID) chat.State
	// Commit makes everything durable at once (fsync), or nothing. After an
	// error the store must be closed: what the disk holds is not known.
	Commit() error
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
	Close() error
}
