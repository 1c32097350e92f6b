package shard_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/cluster/directory"
	"github.com/parley-im/parley/proto/actorpb"
	"github.com/parley-im/parley/proto/wirepb"
	"github.com/parley-im/parley/storage"
	"github.com/parley-im/parley/storage/memory"
)

// TestNewestMessagesArePushedAgainToWhoWantsThem has the first reads refused, and
// more conversations than are read at once.
func TestNewestMessagesArePushedAgainToWhoWantsThem(t *testing.T) {
	r := start(t, memory.New(shards, "n1"), 0, 2)
	user := number(0)
	term, err := r.host.Leader(1)
	if err != nil {
		t.Fatal(err)
	}
	var keys []chat.ConversationKey
	const conversations = 70
	for i := 0; len(keys) < conversations; i++ {
		peer := fmt.Sprint("p", i)
		k := chat.PeerConversation(1, user.ID, peer)
		if storage.ConversationShard(shards, k) != 1 {
			continue
		}
		keys = append(keys, k)
		var sends []chat.CommandBody
		for n := range 2 {
			sends = append(sends, &chat.Send{
				Conversation: k, Sender: peer, ClientMessageID: chat.ClientMessageID{byte(n)}, IssuedAt: time.Now().UnixMilli(),
				Type: chat.TypeText, Content: wirepb.EncodeContent(&chat.Message{Body: []byte("hi")}), Window: chat.DefaultLimits().Dedupe,
			})
		}
		done := make(chan error)
		r.host.Propose(1, term, sends, func(_ storage.Outcome, err error) { done <- err })
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
	empty := chat.PeerConversation(1, user.ID, "nobody")
	again := directory.PushAgain{
		Conversations: append([]chat.ConversationKey{empty}, keys...), Wants: func(u chat.UserKey) bool { return u == user },
	}
	if err := r.directory.Send(directory.ShardOf(1), again, nil); err != nil {
		t.Fatal(err)
	}
	for _, k := range keys {
		m, ok := (<-r.first).(*actorpb.Deliver)
		if !ok {
			t.Fatalf("the session got %v", m)
		}
		var f wirepb.ServerFrame
		if err := f.UnmarshalVT(m.Frame); err != nil {
			t.Fatal(err)
		}
		peer, _ := k.Other(user.ID)
		if p := f.GetMessage(); p.GetSeq() != 2 || p.GetSenderId() != peer || m.Head.GetSeq() != 2 || m.Head.GetId() != k.ID || m.Head.GetCounted() != 2 {
			t.Errorf("%v of head %v is pushed for %v", p, m.Head, k)
		}
	}
}
