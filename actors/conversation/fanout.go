package conversation

import (
	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/cluster/directory"
	"github.com/parley-im/parley/proto/actorpb"
	"github.com/parley-im/parley/proto/wirepb"
)

// fanOut hands a message to both peers' sessions: encoded once, the same bytes
// for every device. Who has no session has no device and reads it later.
func (c *conversation) fanOut(frame []byte, origin string) {
	deliver := &actorpb.Deliver{Frame: frame, Origin: origin}
	for i := range c.peers {
		c.act.Directory.SendLive(directory.SessionOf(chat.UserKey{App: c.key.App, ID: c.peers[i].user}), deliver)
	}
}

// passOn hands on a message that is not stored. Its ack means: handed to those
// who are online.
func (c *conversation) passOn(s *sending) {
	m := wirepb.Passing(c.key, s.command.Sender, s.command.ClientMessageID, &s.command.Message, c.o.Now().UnixMilli())
	c.fanOut(wirepb.MessagePush(m), s.call.Origin)
	s.call.Answer(&wirepb.SendMessageReply{MessageId: m.MessageId, OrderKey: m.OrderKey, TimestampMs: m.TimestampMs})
}
