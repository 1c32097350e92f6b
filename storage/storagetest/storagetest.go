// Package storagetest is the contract of storage.Store as tests: every store
// runs Run. It is not a test of what Apply decides, only of whether the rows
// that Apply reads are those that it wrote, in a batch, after it, and after a
// restart. Tests of the stores call it; it blocks as long as their disks do.
package storagetest

import (
	"fmt"
	"testing"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/storage"
)

// Shards is the number of shards that the stores under test are opened with.
const Shards = 8

// app is the tenant of most tests.
const app chat.AppID = 7

// Open opens the disk of a test: empty the first time, and with what was
// committed when the same test has closed the store before.
type Open func(t *testing.T) storage.Store

// Run holds a store against the contract.
func Run(t *testing.T, open func(t *testing.T) storage.Store) {
	for name, test := range map[string]func(*bench){
		"a batch over many shards is seen only when committed": manyShards,
		"a batch reads its own writes":                         readYourWrites,
		"every table keeps and deletes its rows":               everyTable,
		"a discarded batch leaves nothing":                     discard,
		"a batch after a discarded one starts from the disk":   afterDiscard,
		"entries are read by range from both ends":             entryRanges,
		"entries of neighbours do not mix":                     neighbours,
		"memberships are those of the user":                    memberships,
		"effects wait in order until they are dropped":         effects,
		"effect marks are kept by source and epoch":            effectMarks,
		"retries are found however the cache stands":           retries,
		"a retry in the batch of its first attempt is found":   retryInBatch,
		"rows of the batch are dropped below a floor":          dropInBatch,
		"more conversations than a cache holds stay right":     manyConversations,
		"the window moves the same after a restart":            window,
		"views may be used while batches are committed":        concurrentViews,
		"the log grows and is read in parts":                   logGrows,
		"the log's end is overwritten":                         logIsOverwritten,
		"changes are read from a rev on":                       changesAfter,
		"the log is truncated":                                 logIsTruncated,
		"a replica's state is kept":                            replicaIsKept,
		"a discarded batch leaves the log as it was":           discardedLog,
		"batches of two workers do not touch":                  twoBatches,
		"an installation replaces everything":                  installReplaces,
		"a frozen shard stays whole":                           frozenStays,
		"a destroyed replica leaves a tombstone":               destroyLeavesATombstone,
		"what is no snapshot is refused":                       malformed,
		"a staging is installed once, sealed, in its shard":    stagingIsUsedUp,
		"a snapshot of a shard without rows is one":            emptySnapshot,
		"views over installations miss nothing unnoticed":      viewsOverInstall,
		"the log is read beside batches":                       logBesideBatches,
		"a document is kept as a whole":                        documentIsKept,
		"a document travels with its shard":                    documentTravels,
		"a store keeps its name":                               keepsItsName,
		"a shard's size is known after an open":                sizes,
		"a store keeps its lineage":                            keepsItsLineage,
	} {
		t.Run(name, func(t *testing.T) {
			b := &bench{T: t, open: open, store: open(t)}
			test(b)
			if err := b.store.Close(); err != nil {
				t.Errorf("close: %v", err)
			}
		})
	}
}

// bench is one test's store and how to work it.
type bench struct {
	*testing.T
	open  Open
	store storage.Store
	now   int64

	pending storage.Batch // left open between sends, see sendBoth
}

// reopen closes the store and opens it again.
func (b *bench) reopen() {
	b.Helper()
	if err := b.store.Close(); err != nil {
		b.Fatalf("close: %v", err)
	}
	b.store = b.open(b.T)
}

// batch runs f in a batch and commits it.
func (b *bench) batch(f func(storage.Batch)) {
	b.Helper()
	batch := b.store.Batch()
	f(batch)
	if err := batch.Commit(true); err != nil {
		b.Fatalf("commit: %v", err)
	}
}

// send applies sends in one batch, each a millisecond after the one before.
func (b *bench) send(sends ...chat.Send) []chat.Result {
	b.Helper()
	out := make([]chat.Result, len(sends))
	b.batch(func(batch storage.Batch) {
		for i, s := range sends {
			b.now++
			state := batch.State(storage.ConversationShard(Shards, s.Conversation))
			out[i], _ = chat.Apply(state, sendAt(epoch+b.now, s))
		}
	})
	return out
}

// view looks at a shard.
func (b *bench) view(shard storage.ShardID, f func(storage.View) error) {
	b.Helper()
	v, err := b.store.View(shard)
	if err != nil {
		b.Fatalf("view of shard %d: %v", shard, err)
	}
	if err := f(v); err != nil {
		b.Errorf("read shard %d: %v", shard, err)
	}
	if err := v.Close(); err != nil {
		b.Errorf("close the view of shard %d: %v", shard, err)
	}
}

// epoch is the clock's start, in milliseconds.
const epoch int64 = 1_700_000_000_000

func user(i int) chat.UserKey { return chat.UserKey{App: app, ID: fmt.Sprintf("user%d", i)} }

// pair is the conversation of ann and a numbered user.
func pair(i int) chat.ConversationKey { return chat.PeerConversation(app, "ann", user(i).ID) }

// sendAt is a command that sends.
func sendAt(now int64, s chat.Send) chat.Command {
	return chat.Command{Version: chat.Version, Time: now, Body: &s}
}

// effectMark is what a shard has applied of an outbox.
func effectMark(s *chat.State, shard uint16, epoch uint64) uint64 {
	n, _ := s.Applied.Get(chat.EffectSource{Shard: shard, Epoch: epoch})
	return n
}

// message is a send of ann's, told apart by n, issued n milliseconds after the
// epoch.
func message(c chat.ConversationKey, n int) chat.Send {
	return chat.Send{
		Conversation: c, Sender: "ann", ClientMessageID: chat.ClientMessageID{byte(n), byte(n >> 8)}, IssuedAt: epoch + int64(n),
		Type: chat.TypeText, Content: fmt.Appendf(nil, "message %d", n), Salt: [16]byte{1, byte(n)},
		Window: chat.DefaultLimits().Dedupe,
	}
}
