package conversation

import (
	"slices"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/cluster/directory"
	"github.com/parley-im/parley/internal/broken"
	"github.com/parley-im/parley/internal/failpoint"
	"github.com/parley-im/parley/proto/actorpb"
	"github.com/parley-im/parley/proto/wirepb"
)

// answer fans out what a proposal appended and answers its senders, in order, then proposes what arrived meanwhile. Apply gives one Appended for each
// send that it accepted and had not accepted before.
func (c *conversation) answer(ctx actor.Context, m committed) {
	events := m.outcome.Events
	if broken.FanOutOfOrder {
		lastFirst(events)
	}
	for i, s := range c.proposed {
		if m.err != nil {
			s.call.Refuse(m.err)
			continue
		}
		if s.outcome = m.outcome.Results[i]; s.outcome.Err != nil {
			s.call.Refuse(s.outcome.Err)
			continue
		}
		for _, ref := range s.outcome.Effects {
			c.deliverThrough(ctx, ref)
		}
		if !s.outcome.Sent.Duplicate {
			appended := events[0].(chat.Appended)
			events = events[1:]
			failpoint.Hit(failpoint.BeforeFanOut)
			c.fanOut(&appended.Entry, s.outcome.Sent.MessageID, s.call.Origin)
		}
		c.ack(s) // after the push: a list that is asked for from now on shows the message
	}
	c.proposed = nil
	c.proceed(ctx)
}

// lastFirst is a flaw of broken builds: it turns the order round, not the seqs.
func lastFirst(events []chat.Event) {
	slices.Reverse(events)
	for i, j := 0, len(events)-1; i < j; i, j = i+1, j-1 {
		a, b := events[i].(chat.Appended), events[j].(chat.Appended)
		a.Entry.Seq, b.Entry.Seq = b.Entry.Seq, a.Entry.Seq
		events[i], events[j] = a, b
	}
}

// ack answers one sender: at once, or after the conversation stands in the
// sender's own list, while that is on its way.
func (c *conversation) ack(s *sending) {
	if p := c.peer(s.command.Sender); p.opening > 0 {
		s.call.Body, s.command.Content = nil, nil // they stand in the log
		p.held = append(p.held, s)
		return
	}
	s.call.Answer(wirepb.FromSent(s.outcome.Sent))
}

// deliverThrough asks the shard's actor to bring an effect to its destination. A
// refusal only delays it: the shard's actor delivers whatever the outbox holds
// when it next starts or is asked.
func (c *conversation) deliverThrough(ctx actor.Context, ref chat.EffectRef) {
	var q question
	for i := range c.peers {
		if uint16(c.peers[i].shard) == ref.Destination {
			q.opens[i] = true
			c.peers[i].opening++
		}
	}
	m := &actorpb.DeliverThrough{Request: c.asked.Add(q), Destination: uint32(ref.Destination), Through: ref.Number}
	if err := c.act.Directory.Send(directory.ShardOf(c.act.Shard), m, ctx.Self()); err != nil {
		c.asked.Take(m.Request)
		c.failOpening(q)
	}
}

// open notes that an effect was applied, and acknowledges who waited for it.
func (c *conversation) open(request uint32) {
	q, ok := c.asked.Take(request)
	if !ok {
		return
	}
	for _, s := range c.opened(q) {
		c.ack(s)
	}
}

// failOpening answers whoever waited for an effect whose fate is not known. Their
// messages are stored, so nobody may hear that nothing was done: who sends again
// waits for the list again.
func (c *conversation) failOpening(q question) {
	for _, s := range c.opened(q) {
		s.call.Refuse(errNotListed)
	}
}

var errNotListed = chat.Errorf(chat.CodeTimeout, "send", "the message is stored, but may not stand in your conversation list yet; send it again to know")

// opened ends what a question held up.
func (c *conversation) opened(q question) (held []*sending) {
	for i := range c.peers {
		p := &c.peers[i]
		if !q.opens[i] {
			continue
		}
		p.opening--
		held = append(held, p.held...)
		p.held = nil
	}
	return held
}
