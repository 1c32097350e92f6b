package conversation

import (
	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/cluster/directory"
	"github.com/parley-im/parley/proto/actorpb"
	"github.com/parley-im/parley/proto/wirepb"
)

// stored is a push of a message that is stored, with the head that it makes.
type stored struct {
	deliver actorpb.Deliver
	head    actorpb.PushedHead
}

// fanOut pushes a message that was appended.
func (c *conversation) fanOut(e *chat.Entry, messageID, origin string) {
	p := new(stored)
	p.head = actorpb.PushedHead{
		Kind: uint32(c.key.Kind), Id: c.key.ID, Seq: e.Seq, TimeMs: e.Time, OrderKey: e.OrderKey, Counted: e.Counted,
		OwnFirst: e.Own, OwnSecond: e.Counted - e.Own,
	}
	if e.Sender == c.peers[1].user {
		p.head.OwnFirst, p.head.OwnSecond = p.head.OwnSecond, p.head.OwnFirst
	}
	p.deliver.Frame, p.deliver.Origin, p.deliver.Head = wirepb.EntryPush(c.key, e, messageID), origin, &p.head
	c.push(&p.deliver)
}

// push hands a push to both peers' sessions: encoded once, the same bytes for
// every device. Who has no session has no device and reads it later.
func (c *conversation) push(m *actorpb.Deliver) {
	for i := range c.peers {
		c.act.Directory.SendLive(directory.SessionOf(chat.UserKey{App: c.key.App, ID: c.peers[i].user}), m)
	}
}

// passOn hands on a message that is not stored. Its ack means: handed to those
// who are online.
func (c *conversation) passOn(s *sending) {
	m := wirepb.Passing(&s.command, c.o.Now().UnixMilli())
	c.push(&actorpb.Deliver{Frame: wirepb.MessagePush(m), Origin: s.call.Origin})
	s.call.Answer(&wirepb.SendMessageReply{MessageId: m.MessageId, OrderKey: m.OrderKey, TimestampMs: m.TimestampMs})
}
