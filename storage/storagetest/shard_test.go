package storagetest_test

import (
	"strings"
	"testing"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/storage"
)

// TestTheShardOfAnIdentityIsFixed: the values were computed by another
// program. Data directories depend on them.
func TestTheShardOfAnIdentityIsFixed(t *testing.T) {
	long := chat.PeerConversation(7, strings.Repeat("x", 32), strings.Repeat("y", 32))
	pair := chat.PeerConversation(7, "ann", "bo")
	group := chat.ConversationKey{App: 7, Kind: chat.KindGroup, ID: pair.ID}
	for _, c := range []struct {
		name   string
		of     func(shards int) storage.ShardID
		of128  storage.ShardID
		of16   storage.ShardID
		single storage.ShardID
	}{
		{"ann of app 7", userOf(7, "ann"), 9, 9, 1},
		{"ann of app 8", userOf(8, "ann"), 107, 11, 1},
		{"alice of app 1", userOf(1, "alice"), 102, 6, 1},
		{"32 bytes", userOf(1, strings.Repeat("x", 32)), 23, 7, 1},
		{"ann and bo", conversationOf(pair), 58, 10, 1},
		{"a group", conversationOf(group), 40, 8, 1},
		{"the longest peers", conversationOf(long), 70, 6, 1},
	} {
		if got := [3]storage.ShardID{c.of(128), c.of(16), c.of(1)}; got != [3]storage.ShardID{c.of128, c.of16, c.single} {
			t.Errorf("%s is in %v of 128, 16 and 1, want %d, %d and %d", c.name, got, c.of128, c.of16, c.single)
		}
	}
}

func userOf(app chat.AppID, id string) func(int) storage.ShardID {
	return func(shards int) storage.ShardID { return storage.UserShard(shards, chat.UserKey{App: app, ID: id}) }
}

func conversationOf(c chat.ConversationKey) func(int) storage.ShardID {
	return func(shards int) storage.ShardID { return storage.ConversationShard(shards, c) }
}
