package conversation

import (
	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/cluster/ask"
	"github.com/parley-im/parley/proto/actorpb"
	"github.com/parley-im/parley/proto/wirepb"
	"github.com/parley-im/parley/storage"
)

// maxRecalls is how many recalls may wait to be committed.
const maxRecalls = 64

// recalled brings the outcome of a recall's proposal.
type recalled struct {
	call    *ask.Call
	outcome storage.Outcome
	err     error
}

// recall has a message erased.
func (c *conversation) recall(call *ask.Call, w *wirepb.RecallMessage) (*wirepb.RecallMessageReply, error) {
	if c.recalls >= maxRecalls {
		return nil, chat.Errorf(chat.CodeBusy, "recall", "too many messages are being recalled; try again later")
	}
	c.recalls++
	command := chat.Recall{Conversation: c.key, Sender: call.UserId, Seq: w.Seq, Window: c.o.Limits(c.key.App).Recall}
	root, self := c.o.System.Root, call.Context.Self()
	c.o.Replicator.Propose(c.act.Shard, c.act.Term, []chat.CommandBody{command}, func(out storage.Outcome, err error) {
		root.Send(self, recalled{call, out, err})
	})
	return nil, nil
}

// change answers who recalled, and pushes what has become of the message.
func (c *conversation) change(m recalled) {
	c.recalls--
	if m.err != nil {
		m.call.Refuse(m.err)
		return
	}
	if err := m.outcome.Results[0].Err; err != nil {
		m.call.Refuse(err)
		return
	}
	m.call.Answer(&wirepb.RecallMessageReply{Rev: m.outcome.Results[0].Rev})
	for _, e := range m.outcome.Events {
		if changed, ok := e.(chat.Changed); ok {
			c.push(&actorpb.Deliver{Frame: wirepb.ChangePush(c.key, &changed.Entry), Origin: m.call.Origin})
		}
	}
}
