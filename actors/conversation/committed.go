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
	"github.com/parley-im/parley/storage"
)

// committed answers the senders of a proposal and fans out what it appended, in
// order, then proposes what arrived meanwhile. Apply gives one Appended for
// each send that it accepted and had not accepted before.
func (c *conversation) committed(ctx actor.Context, m committed) {
	batch, events := c.proposed, m.outcome.Events
	c.proposed = nil
	if broken.FanOutOfOrder {
		lastFirst(events)
	}
	for i, s := range batch {
		if m.err != nil {
			refuse(ctx, s.from, s.request, m.err)
			continue
		}
		s.outcome = m.outcome.Results[i]
		c.acknowledge(ctx, s)
		if s.outcome.Err == nil && !s.outcome.Sent.Duplicate {
			appended := events[0].(chat.Appended)
			events = events[1:]
			failpoint.Hit(failpoint.BeforeFanOut)
			c.fanOut(wirepb.EntryPush(c.key, &appended.Entry, s.outcome.Sent.MessageID), s.origin)
		}
	}
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

// acknowledge answers one sender: at once, or, when the message opened the
// conversation, after it stands in the sender's own list too.
func (c *conversation) acknowledge(ctx actor.Context, s *send) {
	if s.outcome.Err != nil {
		refuse(ctx, s.from, s.request, s.outcome.Err)
		return
	}
	own := uint16(storage.UserShard(c.o.Replicator.Shards(), chat.UserKey{App: c.key.App, ID: s.command.Sender}))
	waits := false
	for _, ref := range s.outcome.Effects {
		c.requests++
		if ref.Destination == own && !waits {
			waits = true
			if c.opening == nil {
				c.opening = make(map[uint32]*send)
			}
			c.opening[c.requests] = s
		}
		c.handOn(ctx, c.requests, ref)
	}
	if !waits {
		c.ack(ctx, s)
	}
}

// handOn asks the shard's actor to bring an effect to its destination. A
// refusal only delays it: the shard's actor delivers whatever the outbox holds
// when it next starts or is asked.
func (c *conversation) handOn(ctx actor.Context, request uint32, ref chat.EffectRef) {
	m := &actorpb.HandOn{Request: request, Destination: uint32(ref.Destination), Through: ref.Number}
	if err := c.act.Directory.Send(directory.ShardOf(c.act.Shard), m, ctx.Self()); err != nil {
		c.refused(ctx, &actorpb.Refused{Request: request, Error: wirepb.FromError("send", err)})
	}
}

func (c *conversation) handed(ctx actor.Context, request uint32) {
	if s, ok := c.opening[request]; ok {
		delete(c.opening, request)
		c.ack(ctx, s)
	}
}

func (c *conversation) ack(ctx actor.Context, s *send) {
	ctx.Send(s.from, &actorpb.Appended{Request: s.request, Sent: wirepb.FromSent(s.outcome.Sent)})
}
