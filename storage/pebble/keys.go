package pebble

import (
	"encoding/binary"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/storage"
)

// The key layout, all numbers big-endian, sized = one byte with the length and
// then the bytes:
//
//	space  what
//	0x00   the store itself: 0x00 | name            format, node, shards, lineage
//	0x01   what a replica must not forget: 0x01 | shard u16      Replica
//	0x02   a shard's contents: 0x02 | shard u16 | app u32 | table u8 | ...
//
// The contents of a shard are one range, which a snapshot replaces at once: its
// log too. App 0 is the shard's own.
//
//	table  row            rest of the key                                 value (proto/log)
//	1      user           sized user                                      User
//	2      membership     sized user | kind u8 | sized conversation       Membership
//	3      head           kind u8 | sized conversation                    Head
//	4      entry          kind u8 | sized conversation | seq u64          Entry
//	5      dedupe         kind u8 | sized conversation | issuedAt u64     Dedupe
//	                      | sized sender | client message id [16]
//	6      outbox         destination u16 | number u64         (app 0)    Effect
//	7      outbox head    destination u16                      (app 0)    u64, last number given out
//	8      effect mark    source u16 | restore epoch u64       (app 0)    u64, last number applied
//	9      applied                                             (app 0)    Position, how far the rows go, or that it is as far as the log
//	10     descriptor                                          (app 0)    Descriptor, as applied
//	11     log base                                            (app 0)    Position, the last entry that was deleted
//	12     log            index u64                            (app 0)    LogEntry
//	13     document                                            (app 0)    Document
//	14     outbox base    destination u16                      (app 0)    u64, last number deleted
//	15     change         kind u8 | sized conversation | rev u64          EntryChange
const (
	spaceStore   byte = 0x00
	spaceReplica byte = 0x01
	spaceShard   byte = 0x02

	tableUser       byte = 1
	tableMembership byte = 2
	tableHead       byte = 3
	tableEntry      byte = 4
	tableDedupe     byte = 5
	tableOutbox     byte = 6
	tableOutboxHead byte = 7
	tableEffectMark byte = 8
	tableApplied    byte = 9
	tableDescriptor byte = 10
	tableLogBase    byte = 11
	tableLog        byte = 12
	tableDocument   byte = 13
	tableOutboxBase byte = 14
	tableChange     byte = 15
)

var (
	keyFormat  = []byte{spaceStore, 'f'}
	keyLineage = []byte{spaceStore, 'l'}
	keyNode    = []byte{spaceStore, 'n'}
	keyShards  = []byte{spaceStore, 's'}
)

func replicaKey(shard storage.ShardID) []byte {
	return binary.BigEndian.AppendUint16([]byte{spaceReplica}, uint16(shard))
}

// shardPrefixLen is the length of what all keys of a shard's contents share.
const shardPrefixLen = 3

// ownPrefixLen is the length of a key up to and including its table.
const ownPrefixLen = shardPrefixLen + 5

// shardSpan is the range of a shard's contents.
func shardSpan(shard storage.ShardID) (from, to []byte) {
	from = binary.BigEndian.AppendUint16([]byte{spaceShard}, uint16(shard))
	return from, prefixEnd(from)
}

// appendOwn appends the prefix of a table of the shard's own.
func appendOwn(dst []byte, shard storage.ShardID, table byte) []byte {
	return appendTable(dst, shard, 0, table)
}

// logIndex is the index in a key of the log.
func logIndex(key []byte) uint64 { return binary.BigEndian.Uint64(key[len(key)-8:]) }

func appendLogKey(dst []byte, shard storage.ShardID, index uint64) []byte {
	return binary.BigEndian.AppendUint64(appendOwn(dst, shard, tableLog), index)
}

func appendTable(dst []byte, shard storage.ShardID, app chat.AppID, table byte) []byte {
	dst = append(dst, spaceShard)
	dst = binary.BigEndian.AppendUint16(dst, uint16(shard))
	dst = binary.BigEndian.AppendUint32(dst, uint32(app))
	return append(dst, table)
}

func appendSized(dst []byte, s string) []byte {
	return append(append(dst, byte(len(s))), s...)
}

func appendConversation(dst []byte, c chat.ConversationKey) []byte {
	return appendSized(append(dst, byte(c.Kind)), c.ID)
}

func appendUserKey(dst []byte, shard storage.ShardID, u chat.UserKey) []byte {
	return appendSized(appendTable(dst, shard, u.App, tableUser), u.ID)
}

func appendMembershipsPrefix(dst []byte, shard storage.ShardID, u chat.UserKey) []byte {
	return appendSized(appendTable(dst, shard, u.App, tableMembership), u.ID)
}

func appendMembershipKey(dst []byte, shard storage.ShardID, k chat.MembershipKey) []byte {
	return appendConversation(appendMembershipsPrefix(dst, shard, k.User), k.Conversation)
}

// parseConversation reads what follows a memberships prefix.
func parseConversation(app chat.AppID, rest []byte) (chat.ConversationKey, bool) {
	if len(rest) < 2 || len(rest) != 2+int(rest[1]) {
		return chat.ConversationKey{}, false
	}
	return chat.ConversationKey{App: app, Kind: chat.Kind(rest[0]), ID: string(rest[2:])}, true
}

func appendHeadKey(dst []byte, shard storage.ShardID, c chat.ConversationKey) []byte {
	return appendConversation(appendTable(dst, shard, c.App, tableHead), c)
}

func appendEntryKey(dst []byte, shard storage.ShardID, k chat.EntryKey) []byte {
	c := k.Conversation
	return binary.BigEndian.AppendUint64(appendConversation(appendTable(dst, shard, c.App, tableEntry), c), k.Seq)
}

func appendChangeKey(dst []byte, shard storage.ShardID, k chat.ChangeKey) []byte {
	c := k.Conversation
	return binary.BigEndian.AppendUint64(appendConversation(appendTable(dst, shard, c.App, tableChange), c), k.Rev)
}

func appendDedupePrefix(dst []byte, shard storage.ShardID, c chat.ConversationKey, issuedAt int64) []byte {
	return binary.BigEndian.AppendUint64(appendConversation(appendTable(dst, shard, c.App, tableDedupe), c), uint64(issuedAt))
}

func appendDedupeKey(dst []byte, shard storage.ShardID, k chat.DedupeKey) []byte {
	return append(appendSized(appendDedupePrefix(dst, shard, k.Conversation, k.IssuedAt), k.Sender), k.ID[:]...)
}

func appendOutboxKey(dst []byte, shard storage.ShardID, r chat.EffectRef) []byte {
	dst = binary.BigEndian.AppendUint16(appendTable(dst, shard, 0, tableOutbox), r.Destination)
	return binary.BigEndian.AppendUint64(dst, r.Number)
}

func appendOutboxHeadKey(dst []byte, shard storage.ShardID, destination uint16) []byte {
	return binary.BigEndian.AppendUint16(appendTable(dst, shard, 0, tableOutboxHead), destination)
}

func appendOutboxBaseKey(dst []byte, shard storage.ShardID, destination uint16) []byte {
	return binary.BigEndian.AppendUint16(appendTable(dst, shard, 0, tableOutboxBase), destination)
}

func appendEffectMarkKey(dst []byte, shard storage.ShardID, s chat.EffectSource) []byte {
	dst = binary.BigEndian.AppendUint16(appendTable(dst, shard, 0, tableEffectMark), s.Shard)
	return binary.BigEndian.AppendUint64(dst, s.Epoch)
}

// prefixEnd is the first key after all keys with the prefix.
func prefixEnd(prefix []byte) []byte {
	end := append([]byte(nil), prefix...)
	for i := len(end) - 1; i >= 0; i-- {
		if end[i]++; end[i] != 0 {
			return end[:i+1]
		}
	}
	return nil
}
