package shard

import (
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/cluster/directory"
	"github.com/parley-im/parley/proto/actorpb"
	"github.com/parley-im/parley/proto/wirepb"
	"github.com/parley-im/parley/storage"
)

// maxAgain is how many conversations are read at once to push their newest
// messages again, so that who reads beside it does not wait.
const maxAgain = 32

// againPause is how long a read that was refused waits for the next try.
const againPause = 500 * time.Millisecond

// pushAgain repeats the newest push of conversations, the first of them first. A
// client skips what it has, and one that lacks more than the newest asks for what
// is before it.
func (s *shard) pushAgain(ctx actor.Context, m directory.PushAgain) {
	some := m.Conversations[:min(len(m.Conversations), maxAgain)]
	root, self := s.o.System.Root, ctx.Self()
	var pushes []*actorpb.Deliver
	by := storage.Asker{Class: storage.Repair, ID: s.name}
	s.o.Replicator.Read(s.act.Shard, by, func(v storage.View) error {
		for _, k := range some {
			push, err := newest(v, k)
			if err != nil {
				return err
			}
			pushes = append(pushes, push)
		}
		return nil
	}, func(err error) {
		if err != nil { // when the shard is led no longer, whoever leads it repeats all
			if _, led := s.o.Replicator.Leader(s.act.Shard); led == nil {
				time.AfterFunc(againPause, func() { root.Send(self, m) })
			}
			return
		}
		for i, push := range pushes {
			s.push(some[i], push, m.Wants)
		}
		if m.Conversations = m.Conversations[len(some):]; len(m.Conversations) > 0 {
			root.Send(self, m)
		}
	})
}

// newest makes the push of a conversation's last message; nil when it has none.
func newest(v storage.View, k chat.ConversationKey) (*actorpb.Deliver, error) {
	head, ok, err := v.Head(k)
	if err != nil || !ok {
		return nil, err
	}
	last, err := v.Entries(k, head.Seq-1, head.Seq+1, 1, true)
	if err != nil || len(last) != 1 {
		return nil, err
	}
	return &actorpb.Deliver{Frame: wirepb.MessagePush(wirepb.FromEntry(k, &last[0])), Head: &actorpb.PushedHead{
		Kind: uint32(k.Kind), Id: k.ID, Seq: head.Seq, TimeMs: head.Time, OrderKey: head.OrderKey,
		Counted: head.Counted, OwnFirst: head.Own[0], OwnSecond: head.Own[1],
	}}, nil
}

func (s *shard) push(k chat.ConversationKey, m *actorpb.Deliver, wants func(chat.UserKey) bool) {
	first, second, ok := k.Peers()
	if !ok || m == nil {
		return
	}
	for _, user := range []string{first, second} {
		if u := (chat.UserKey{App: k.App, ID: user}); wants(u) {
			s.act.Directory.SendLive(directory.SessionOf(u), m)
		}
	}
}
