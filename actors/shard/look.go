package shard

import (
	"github.com/asynkron/protoactor-go/actor"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/proto/actorpb"
	"github.com/parley-im/parley/proto/logpb"
	"github.com/parley-im/parley/storage"
)

// look reads heads with their last entries, and profiles, in one go, and
// answers from the reader's goroutine.
func (s *shard) look(ctx actor.Context, m *actorpb.Look) {
	root, to := s.o.System.Root, ctx.Sender()
	by := storage.Asker{Class: storage.Client, ID: to.Address + "/" + to.Id, Gone: s.act.Directory.Left(to)}
	if m.SinceMs > 0 {
		by.Class = storage.Repair
	}
	seen := &actorpb.Seen{Request: m.Request}
	s.o.Replicator.Read(s.act.Shard, by, func(v storage.View) error {
		for _, k := range m.Conversations {
			h, err := readHead(v, k.Chat(), m)
			if err != nil {
				return err
			}
			seen.Heads = append(seen.Heads, h)
		}
		for _, id := range m.Users {
			u, ok, err := v.User(chat.UserKey{App: chat.AppID(m.AppId), ID: id})
			if err != nil {
				return err
			}
			row := &actorpb.UserSeen{}
			if ok {
				row.User = logpb.From[logpb.User](&u)
			}
			seen.Users = append(seen.Users, row)
		}
		return nil
	}, func(err error) {
		if err != nil {
			root.Send(to, actorpb.Refuse(m.Request, "shard", err))
			return
		}
		root.Send(to, seen)
	})
}

func readHead(v storage.View, c chat.ConversationKey, m *actorpb.Look) (*actorpb.HeadSeen, error) {
	head, ok, err := v.Head(c)
	if err != nil || !ok || head.Time < m.SinceMs {
		return &actorpb.HeadSeen{}, err
	}
	if m.HeadsOnly {
		return &actorpb.HeadSeen{Head: &logpb.Head{
			Seq: head.Seq, TimeMs: head.Time, OrderKey: head.OrderKey, Counted: head.Counted, OwnFirst: head.Own[0], OwnSecond: head.Own[1],
		}}, nil
	}
	last, err := v.Entries(c, head.Seq-1, head.Seq+1, 1, true)
	seen := &actorpb.HeadSeen{Head: logpb.From[logpb.Head](&head)}
	if len(last) == 1 {
		seen.Last = logpb.From[logpb.Entry](&last[0])
	}
	return seen, err
}
