package pebble_test

import (
	"strings"
	"testing"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/proto/logpb"
	"github.com/parley-im/parley/storage"
	"github.com/parley-im/parley/storage/pebble"
	"github.com/parley-im/parley/storage/storagetest"
)

// TestExaminingTellsWhatIsLeftOfARecalledMessage looks at a store after a recall,
// after its log was cut, and where content or a change was put back by hand.
func TestExaminingTellsWhatIsLeftOfARecalledMessage(t *testing.T) {
	dir := t.TempDir()
	c := chat.PeerConversation(1, "ann", "bo")
	shard := storage.ConversationShard(storagetest.Shards, c)
	send := &chat.Send{
		Conversation: c, Sender: "ann", ClientMessageID: chat.ClientMessageID{1}, IssuedAt: 1000, Type: chat.TypeText,
		Content: []byte("secret"), Salt: [16]byte{2}, Window: chat.DefaultLimits().Dedupe,
	}
	batch := func(fill func(storage.Batch)) { t.Helper(); batchIn(t, dir, fill) }
	examined := func() (pebble.Examined, string) { t.Helper(); return examinedIn(t, dir, shard) }
	batch(func(b storage.Batch) {
		b.Create(shard, 1, storage.Applied{})
		for i, body := range []chat.CommandBody{send, chat.Recall{Conversation: c, Sender: "ann", Seq: 1}} {
			data, err := logpb.EncodeProposal(chat.Version, 1000, 7, uint64(i+1), []chat.CommandBody{body})
			if err != nil {
				t.Fatal(err)
			}
			b.Append(shard, []storage.LogEntry{{Position: storage.Position{Index: uint64(i + 1), Term: 1}, Data: data}})
			if r, _ := chat.Apply(b.State(shard), chat.Command{Version: chat.Version, Time: 1000, Body: body}); r.Err != nil {
				t.Fatal(r.Err)
			}
		}
		b.SetApplied(shard, storage.Applied{Position: storage.Position{Index: 2, Term: 1}})
	})
	if x, problems := examined(); problems != "" || x.Erased != 1 || x.Waiting != 1 {
		t.Errorf("after the recall: %+v, %s", x, problems)
	}
	batch(func(b storage.Batch) { b.Truncate(shard, storage.Position{Index: 2, Term: 1}) })
	if x, problems := examined(); problems != "" || x.Erased != 1 || x.Waiting != 0 {
		t.Errorf("after the log was cut: %+v, %s", x, problems)
	}
	key := chat.EntryKey{Conversation: c, Seq: 1}
	var e chat.Entry
	batch(func(b storage.Batch) {
		e, _ = b.State(shard).Entries.Get(key)
		with := e
		with.Content = send.Content
		b.State(shard).Entries.Put(key, with)
	})
	if _, problems := examined(); !strings.Contains(problems, "still has what its erased entry 1 said") {
		t.Errorf("with its content: %s", problems)
	}
	batch(func(b storage.Batch) {
		b.State(shard).Entries.Put(key, e)
		b.State(shard).Changes.Delete(chat.ChangeKey{Conversation: c, Rev: 1})
	})
	if _, problems := examined(); !strings.Contains(problems, "has 0 changes, its head says 1") {
		t.Errorf("without its change: %s", problems)
	}
}

// batchIn commits a batch in a folder.
func batchIn(t *testing.T, dir string, fill func(storage.Batch)) {
	t.Helper()
	s, err := pebble.Open(pebble.Options{Dir: dir, Shards: storagetest.Shards})
	if err != nil {
		t.Fatal(err)
	}
	b := s.Batch()
	fill(b)
	if err := b.Commit(true); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

// examinedIn is what an examination finds of a shard, and the problems of all.
func examinedIn(t *testing.T, dir string, shard storage.ShardID) (found pebble.Examined, problems string) {
	t.Helper()
	e, err := pebble.Examine(dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range e.Shards {
		problems += strings.Join(x.Problems, "\n")
		if x.Shard == shard {
			found = x
		}
	}
	return found, problems
}
