package pebble_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/storage"
	"github.com/parley-im/parley/storage/pebble"
	"github.com/parley-im/parley/storage/storagetest"
)

// TestAReadSaysThatTheDiskIsDamaged takes a table away while the store is open.
// Blocks with other bytes end the process at once: Pebble sees to that.
func TestAReadSaysThatTheDiskIsDamaged(t *testing.T) {
	dir := t.TempDir()
	open := func() *pebble.Store {
		t.Helper()
		s, err := pebble.Open(pebble.Options{Dir: dir, Shards: storagetest.Shards})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	user := func(i int) chat.UserKey { return chat.UserKey{App: 1, ID: fmt.Sprint("user", i)} }
	s := open()
	b := s.Batch()
	b.Create(1, 3, storage.Applied{Position: storage.Position{Index: 1, Term: 1}})
	noise := rand.NewChaCha8([32]byte{4})
	name := make([]byte, 1000)
	for i := range 1000 { // many blocks, most of which nobody has read when the store is open
		_, _ = noise.Read(name)
		b.State(1).Users.Put(user(i), chat.User{Name: string(name)})
		b.State(1).Memberships.Put(chat.MembershipKey{User: user(0), Conversation: chat.PeerConversation(1, user(0).ID, fmt.Sprint(i, "-", noise.Uint64()))}, chat.Membership{})
	}
	if err := errors.Join(b.Commit(true), s.Close()); err != nil {
		t.Fatal(err)
	}
	s = open() // makes a table of the log
	defer func() { _ = s.Close() }()
	tables, err := filepath.Glob(filepath.Join(dir, "*.sst"))
	if err != nil || len(tables) == 0 {
		t.Fatalf("the store has tables %v, %v", tables, err)
	}
	v, err := s.View(1)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = v.Close() }()
	for _, table := range tables {
		if err := os.Truncate(table, 0); err != nil {
			t.Fatal(err)
		}
	}
	if _, _, err := v.User(user(500)); !errors.Is(err, storage.ErrDamaged) {
		t.Errorf("a row: %v", err)
	}
	if err := v.Memberships(user(0), func(chat.ConversationKey, chat.Membership) bool { return true }); !errors.Is(err, storage.ErrDamaged) {
		t.Errorf("rows: %v", err)
	}
}
