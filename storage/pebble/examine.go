package pebble

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/proto/logpb"
	"github.com/parley-im/parley/storage"
)

// Stored is one entry of a conversation's log as Examine finds it. Content is
// left out on purpose.
type Stored struct {
	Conversation    chat.ConversationKey
	Shard           storage.ShardID
	Seq             uint64
	ClientMessageID chat.ClientMessageID
	Sender          string
	Hash            [32]byte // chain over all entries up to this one
}

// Examination is what a data directory holds.
type Examination struct {
	Node   storage.NodeID
	Shards []Examined // of those that it has, or had, a replica of; ascending
}

// Examined is one shard of an Examination.
type Examined struct {
	Shard         storage.ShardID
	Removed       bool // a replica that was here once
	Applied, Last uint64
	Conversations int
	Entries       int
	Rows          int
	// Erased entries, and those of them whose content the log still holds: a node
	// cuts it seconds after a recall, or after its next start.
	Erased, Waiting int
	// Problems are sentences, at most maxProblems of them.
	Problems []string
}

// Problems counts the sentences of all shards.
func (e *Examination) Problems() (n int) {
	for _, s := range e.Shards {
		n += len(s.Problems)
	}
	return n
}

// maxProblems bounds what is reported of one shard.
const maxProblems = 20

// Examine reads all of a data directory that no node has open, and changes
// nothing in it: every block's checksum, every row, that logs and conversations
// have no holes, and that conversations hash to what their heads say. visit, if
// not nil, gets the entries, by conversation and ascending. What is wrong with
// rows is a problem; a directory that is in use, that holds no store or one of
// another format, that cannot be read, whose checksums fail, or whose log has lost
// what was synced, is an error, and so is visit's.
func Examine(dir string, visit func(Stored) error) (e Examination, err error) {
	opts := &pebble.Options{
		FS: &syncedLogs{FS: vfs.Default}, ReadOnly: true, ErrorIfNotExists: true, Logger: logger{},
		// Whoever reads what is damaged gets an error.
		EventListener: &pebble.EventListener{DataCorruption: func(pebble.DataCorruptionInfo) {}},
	}
	db, err := pebble.Open(dir, opts)
	if err != nil {
		return e, fmt.Errorf("open the data directory %s: %w", dir, err)
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if err := checkTables(vfs.Default, dir, db); err != nil {
		return e, fmt.Errorf("read the data directory %s: %w", dir, err)
	}
	s := &Store{db: db}
	format, err := s.getNumber(keyFormat)
	if err != nil || format != storage.Format {
		return e, errors.Join(err, fmt.Errorf("the data directory %s has storage format %d; this release examines %d", dir, format, storage.Format))
	}
	if e.Node, err = s.readNode(); err != nil {
		return e, err
	}
	shards, err := s.getNumber(keyShards)
	for shard := uint64(0); err == nil && shard <= shards; shard++ {
		x := examiner{store: s, visit: visit, logged: make(map[logged]bool), x: Examined{Shard: storage.ShardID(shard)}}
		if err = x.shard(); err != nil {
			err = fmt.Errorf("shard %d: %w", shard, err)
		} else if x.x.Rows > 0 || x.x.Removed {
			e.Shards = append(e.Shards, x.x)
		}
	}
	return e, err
}

// examiner goes through one shard's contents in the order of their keys: of an
// app, all heads come before the first entry.
type examiner struct {
	store *Store
	visit func(Stored) error
	x     Examined

	app     chat.AppID
	heads   map[chat.ConversationKey]chat.Head // of the app, not compared yet
	key     chat.ConversationKey               // whose entries are being read
	head    chat.Head
	open    bool // there is a key
	seq     uint64
	hash    [32]byte
	counted uint64

	logged map[logged]bool // what the log holds
	revs   map[chat.ConversationKey]*revision
}

// logged names a send.
type logged struct {
	conversation chat.ConversationKey
	sender       string
	id           chat.ClientMessageID
	issuedAt     int64
}

// revision is how many changes a conversation's head and its rows say there were.
type revision struct{ want, have uint64 }

func (x *examiner) problem(format string, args ...any) {
	if len(x.x.Problems) < maxProblems {
		x.x.Problems = append(x.x.Problems, fmt.Sprintf(format, args...))
	}
}

func (x *examiner) shard() error {
	st := newState(x.store, x.x.Shard)
	if err := st.load(); err != nil {
		return err
	}
	r := st.current()
	x.x.Removed, x.x.Applied, x.x.Last = r.Removed, r.Applied.Index, r.Last
	if r.Removed {
		return nil // the next start deletes what is left
	}
	if r.Base.Index > r.Applied.Index || r.Applied.Index > r.Last {
		x.problem("applied is %d, and the log goes from %d to %d", r.Applied.Index, r.Base.Index, r.Last)
	}
	from, to := shardSpan(x.x.Shard)
	it, err := x.store.db.NewIter(&pebble.IterOptions{LowerBound: from, UpperBound: to})
	if err != nil {
		return err
	}
	last := r.Base.Index
	for ok := it.First(); ok && err == nil; ok = it.Next() {
		var value []byte
		if value, err = it.ValueAndErr(); err == nil {
			x.x.Rows++
			err = x.row(it.Key(), value, &last)
		}
	}
	x.endApp()
	return errors.Join(err, it.Error(), it.Close())
}

// row takes one row; last is the index of the log's entry before.
func (x *examiner) row(key, value []byte, last *uint64) error {
	if len(key) < ownPrefixLen {
		x.problem("a row has the key %x", key)
		return nil
	}
	app, table := chat.AppID(binary.BigEndian.Uint32(key[shardPrefixLen:])), key[ownPrefixLen-1]
	if app != x.app {
		x.endApp()
		x.app, x.heads, x.revs = app, make(map[chat.ConversationKey]chat.Head), make(map[chat.ConversationKey]*revision)
	}
	rest := key[ownPrefixLen:]
	switch table {
	case tableHead:
		k, ok := parseConversation(app, rest)
		var r logpb.Head
		if x.decoded(key, value, &r) && ok {
			x.heads[k] = r.Chat()
			if r.Rev > 0 {
				x.revs[k] = &revision{want: r.Rev}
			}
		}
		x.x.Conversations++
	case tableEntry:
		return x.entry(key, rest, value)
	case tableLog:
		if index := logIndex(key); index != *last+1 {
			x.problem("the log has entry %d after %d", index, *last)
		}
		*last = logIndex(key)
		x.log(key, value)
	case tableChange:
		x.change(key, rest, value)
	case tableUser:
		x.decoded(key, value, &logpb.User{})
	case tableMembership:
		x.decoded(key, value, &logpb.Membership{})
	case tableDedupe:
		x.decoded(key, value, &logpb.Dedupe{})
	case tableOutbox:
		x.decoded(key, value, &logpb.Effect{})
	}
	return nil
}

func (x *examiner) decoded(key, value []byte, into row) bool {
	err := into.UnmarshalVT(value)
	if err != nil {
		x.problem("the row %x cannot be decoded: %v", key, err)
	}
	return err == nil
}

// entry takes the next entry of the conversation before, or another one's first.
func (x *examiner) entry(key, rest, value []byte) error {
	var r logpb.Entry
	k, ok := chat.ConversationKey{}, len(rest) > 8
	if ok {
		k, ok = parseConversation(x.app, rest[:len(rest)-8])
	}
	if !ok || !x.decoded(key, value, &r) {
		x.problem("an entry has the key %x", key)
		return nil
	}
	if !x.open || k != x.key {
		x.endConversation()
		x.begin(k)
	}
	e := r.Chat()
	if e.Seq != logIndex(key) || e.Seq != x.seq+1 {
		x.problem("%s has seq %d at the place of %d, after %d", nameOf(k), e.Seq, logIndex(key), x.seq)
	}
	x.seq, x.counted = e.Seq, e.Counted
	if e.Kind == chat.EntryErased {
		x.erased(k, &e)
	}
	x.hash = chat.VerifyChain(x.hash, k, []chat.Entry{e})
	x.x.Entries++
	if x.visit == nil {
		return nil
	}
	return x.visit(Stored{Conversation: k, Shard: x.x.Shard, Seq: e.Seq, ClientMessageID: e.ClientMessageID, Sender: e.Sender, Hash: x.hash})
}

func (x *examiner) begin(k chat.ConversationKey) {
	head, ok := x.heads[k]
	if !ok {
		x.problem("%s has entries and no head", nameOf(k))
	}
	delete(x.heads, k)
	x.open, x.key, x.head = true, k, head
	x.seq, x.hash, x.counted = head.BaseSeq, head.BaseHash, 0
}

// endConversation compares the entries with their head.
func (x *examiner) endConversation() {
	if !x.open {
		return
	}
	x.open = false
	switch {
	case x.seq != x.head.Seq:
		x.problem("%s ends at seq %d, its head says %d", nameOf(x.key), x.seq, x.head.Seq)
	case x.hash != x.head.Hash:
		x.problem("%s hashes to %x, its head says %x", nameOf(x.key), x.hash, x.head.Hash)
	case x.counted != x.head.Counted:
		x.problem("%s counts %d, its head says %d", nameOf(x.key), x.counted, x.head.Counted)
	}
}

// endApp finds the heads whose entries were not there.
func (x *examiner) endApp() {
	x.endConversation()
	for k, head := range x.heads {
		if head.Seq != head.BaseSeq {
			x.problem("%s has no entries, its head says %d", nameOf(k), head.Seq)
		}
	}
	clear(x.heads)
	for k, r := range x.revs {
		if r.have != r.want {
			x.problem("%s has %d changes, its head says %d", nameOf(k), r.have, r.want)
		}
	}
	clear(x.revs)
}

// nameOf names a conversation in a problem.
func nameOf(k chat.ConversationKey) string {
	first, second, ok := k.Peers()
	if !ok {
		return fmt.Sprintf("conversation %q of app %d", k.ID, k.App)
	}
	return fmt.Sprintf("the conversation of %s and %s of app %d", first, second, k.App)
}
