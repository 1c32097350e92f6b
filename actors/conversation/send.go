package conversation

import (
	"github.com/asynkron/protoactor-go/actor"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/cluster/ask"
	"github.com/parley-im/parley/cluster/directory"
	"github.com/parley-im/parley/proto/actorpb"
	"github.com/parley-im/parley/proto/wirepb"
	"github.com/parley-im/parley/storage"
)

// send takes a message in: checked here, decided by Apply.
func (c *conversation) send(call *ask.Call, w *wirepb.SendMessage) (*wirepb.SendMessageReply, error) {
	s, err := c.check(call, w)
	if err != nil {
		return nil, err
	}
	if c.full() {
		return nil, chat.Errorf(chat.CodeBusy, "send", "too many messages wait in this conversation; try again later")
	}
	if call.Origin != "" {
		c.peer(call.UserId).registered = true // it is logged in
	}
	c.waiting = append(c.waiting, s)
	c.bytes += len(s.command.Content)
	c.proceed(call.Context)
	return nil, nil
}

func (c *conversation) check(call *ask.Call, w *wirepb.SendMessage) (*sending, error) {
	if len(w.GetClientMessageId()) != len(chat.ClientMessageID{}) {
		return nil, chat.Errorf(chat.CodeInvalidParam, "send", "the client message id has %d bytes; 16 are required", len(w.GetClientMessageId()))
	}
	if w.GetIssuedAtMs() >= 1<<53 {
		return nil, chat.Errorf(chat.CodeInvalidParam, "send", "issued at is out of range")
	}
	limits := c.o.Limits(c.key.App)
	s := &sending{call: call, command: chat.Send{
		Conversation: c.key, Sender: call.UserId, ClientMessageID: chat.ClientMessageID(w.ClientMessageId), IssuedAt: int64(w.IssuedAtMs),
		Type: chat.MessageType(w.Type), Content: w.Content, Window: limits.Dedupe,
	}}
	return s, wirepb.CheckContent("send", s.command.Type, w.Content, limits)
}

// proceed moves waiting messages on: to those who are online when they are not
// stored, else into a proposal, one at a time, so that whatever arrives while
// the disk works forms the next one.
func (c *conversation) proceed(ctx actor.Context) {
	if len(c.waiting) == 0 || c.proposed != nil || c.looking {
		return
	}
	for i := range c.peers {
		if !c.peers[i].registered {
			c.look(ctx, &c.peers[i])
			return
		}
	}
	batch := c.takeStored()
	if len(batch) == 0 {
		return
	}
	commands := make([]chat.CommandBody, len(batch))
	for i := range batch {
		batch[i].command.Salt = c.o.Salt()
		commands[i] = &batch[i].command
	}
	c.proposed = batch
	root, self := c.o.System.Root, ctx.Self()
	c.o.Replicator.Propose(c.act.Shard, c.act.Term, commands, func(out storage.Outcome, err error) {
		root.Send(self, committed{out, err})
	})
}

// takeStored takes the next messages for a proposal, passing on those before
// and between them that are not stored.
func (c *conversation) takeStored() []*sending {
	var batch []*sending
	n, taken := 0, 0
	for ; n < len(c.waiting) && len(batch) < maxProposal; n++ {
		s := c.waiting[n]
		size := len(s.command.Content)
		if !s.command.Type.Stored() {
			c.passOn(s)
		} else if len(batch) > 0 && taken+size > maxProposalBytes {
			break
		} else {
			batch, taken = append(batch, s), taken+size
		}
		c.bytes -= size
	}
	rest := copy(c.waiting, c.waiting[n:])
	clear(c.waiting[rest:])
	c.waiting = c.waiting[:rest]
	return batch
}

// look asks whether the peer that has not sent anything here yet exists. Once
// registered, always registered: so it is asked at most once an activation.
func (c *conversation) look(ctx actor.Context, p *peer) {
	c.looking = true
	look := &actorpb.Look{Request: c.asked.Add(question{looks: p}), AppId: uint32(c.key.App), Users: []string{p.user}}
	if err := c.act.Directory.Send(directory.ShardOf(p.shard), look, ctx.Self()); err != nil {
		c.asked.Take(look.Request)
		c.refuseWaiting(err)
	}
}

// register takes the answer: on with the messages, or all of them are refused.
func (c *conversation) register(ctx actor.Context, m *actorpb.Seen) {
	q, ok := c.asked.Take(m.Request)
	if !ok || q.looks == nil {
		return
	}
	if len(m.Users) != 1 || m.Users[0].User == nil {
		c.refuseWaiting(errNoTarget)
		return
	}
	c.looking = false
	q.looks.registered = true
	c.proceed(ctx)
}

var errNoTarget = chat.Errorf(chat.CodeNoSuchTarget, "send", "the target user, or the sender, does not exist: they must have logged in once")

func (c *conversation) refuseWaiting(err error) {
	c.looking = false
	for _, s := range c.waiting {
		s.call.Refuse(err)
	}
	c.waiting, c.bytes = nil, 0
}

// fail is the answer of a shard's actor that could not do as asked.
func (c *conversation) fail(m *actorpb.Answer) {
	q, ok := c.asked.Take(m.Request)
	switch {
	case !ok:
	case q.looks != nil:
		e := m.Error
		c.refuseWaiting(chat.Errorf(chat.Code(e.GetCode()), "send", "%s", e.GetMessage()))
	default:
		c.failOpening(q)
	}
}
