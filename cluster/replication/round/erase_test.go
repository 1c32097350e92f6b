package round_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/cluster/replication/round"
	"github.com/parley-im/parley/proto/logpb"
	"github.com/parley-im/parley/storage"
)

// secret is what is recalled.
var secret = []byte("what nobody should have read")

// command has a leader apply a command.
func (w *world) command(s storage.ShardID, body chat.CommandBody) {
	w.Helper()
	_, n := w.leader(s)
	w.number++
	now, done := int64(1_700_000_000_000), false
	data, err := logpb.EncodeProposal(chat.Version, now, n.core.Origin(), w.number, []chat.CommandBody{body})
	if err != nil {
		w.Fatal(err)
	}
	n.core.Propose(round.Proposal{Shard: s, Term: n.leading[s], Number: w.number, Data: data, Version: chat.Version, Time: now, Commands: []chat.CommandBody{body},
		Done: func(o storage.Outcome, err error) {
			if done = true; err != nil || o.Results[0].Err != nil {
				w.Errorf("%T: %v, %+v", body, err, o.Results)
			}
		}})
	w.run(100 * time.Millisecond)
	if !done {
		w.Fatalf("%T: no answer", body)
	}
}

// holds says whether a node's log of a shard has the secret.
func (w *world) holds(name storage.NodeID, s storage.ShardID) bool {
	w.Helper()
	r, err := w.nodes[name].store.Replica(s)
	if err != nil {
		w.Fatal(err)
	}
	for at := r.Base.Index + 1; at <= r.Last; at++ {
		entries, err := w.nodes[name].store.Log(s, at, at+1, 1<<20)
		if err != nil {
			w.Fatal(err)
		}
		if bytes.Contains(entries[0].Data, secret) {
			return true
		}
	}
	return false
}

// TestALogIsCutAfterARecall keeps what was recalled in nobody's log, though there
// is room for it and nothing more is said, and gives nobody who is there a snapshot.
func TestALogIsCutAfterARecall(t *testing.T) {
	w := newWorld(t, "a", "b", "c")
	w.run(2 * time.Second)
	const s = storage.ShardID(1)
	c := conversationOf(s)
	sender, _, _ := c.Peers()
	send := &chat.Send{
		Conversation: c, Sender: sender, ClientMessageID: chat.ClientMessageID{1}, IssuedAt: 1_700_000_000_000, Type: chat.TypeText,
		Content: secret, Window: chat.DefaultLimits().Dedupe,
	}
	w.command(s, send)
	w.run(20 * time.Second)
	for _, name := range w.names {
		if !w.holds(name, s) {
			t.Fatalf("%s has cut its log without a recall", name)
		}
	}
	w.command(s, chat.Recall{Conversation: c, Sender: sender, Seq: 1})
	w.run(2 * time.Second)
	for _, name := range w.names {
		if w.holds(name, s) {
			t.Errorf("the log of %s has what was recalled", name)
		}
	}
}

// TestARestartCutsWhatARecallLeft is for a node that went down between the two.
func TestARestartCutsWhatARecallLeft(t *testing.T) {
	w := newWorld(t, "a")
	w.run(2 * time.Second)
	const s = storage.ShardID(1)
	c := conversationOf(s)
	sender, _, _ := c.Peers()
	w.command(s, &chat.Send{
		Conversation: c, Sender: sender, ClientMessageID: chat.ClientMessageID{1}, IssuedAt: 1_700_000_000_000, Type: chat.TypeText,
		Content: secret, Window: chat.DefaultLimits().Dedupe,
	})
	w.command(s, chat.Recall{Conversation: c, Sender: sender, Seq: 1})
	if !w.holds("a", s) {
		t.Fatal("the log was cut before there was time for followers")
	}
	w.start("a", w.nodes["a"].store, w.names)
	w.run(4 * time.Second)
	if w.holds("a", s) {
		t.Error("the log has what was recalled")
	}
}

// conversationOf is one that lives in a shard.
func conversationOf(s storage.ShardID) chat.ConversationKey {
	for i := range 1000 {
		if c := chat.PeerConversation(1, "ann", "user"+string(rune('a'+i%26))+string(rune('a'+i/26))); storage.ConversationShard(shards, c) == s {
			return c
		}
	}
	panic("no conversation of the shard")
}
