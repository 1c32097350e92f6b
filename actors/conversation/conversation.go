// Package conversation is the virtual actor of a conversation: it validates
// what members send, batches its mailbox into one proposal, acknowledges what
// was committed and fans it out, and reads history. Connections talk to it
// through the directory. It holds nothing but caches; the log is the truth,
// and Apply decides (see DESIGN.md). Nothing in it blocks.
package conversation

import (
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/cluster/directory"
	"github.com/parley-im/parley/proto/actorpb"
	"github.com/parley-im/parley/proto/wirepb"
	"github.com/parley-im/parley/storage"
)

// Bounds of what one conversation may keep waiting. Above them a send is
// refused with CodeBusy.
const (
	maxWaiting  = 2048
	maxProposal = 512
)

// Options are what all conversations of a node share.
type Options struct {
	System     *actor.ActorSystem
	Replicator storage.Replicator
	// Limits gives an app's limits.
	Limits func(chat.AppID) chat.Limits
	// Now is the server's clock.
	Now func() time.Time
	// Salt gives 16 random bytes.
	Salt func() [16]byte
}

// conversation is one activation. Its fields belong to Receive.
type conversation struct {
	o   Options
	act directory.Activation
	key chat.ConversationKey

	peers      [2]string
	registered [2]bool // known to be; that never ends
	asking     uint32  // the question whether the other peer is registered, 0: none

	waiting  []*send // validated, in order of arrival
	proposed []*send // in the proposal under way, nil when there is none
	opening  map[uint32]*send
	requests uint32
}

// send is one message on its way through the conversation.
type send struct {
	from    *actor.PID
	request uint32
	origin  string
	command chat.Send
	outcome chat.Result
}

// committed brings the outcome of the proposal under way.
type committed struct {
	outcome storage.Outcome
	err     error
}

// New says how conversations are made.
func New(o Options) func(directory.Activation) actor.Actor {
	return func(act directory.Activation) actor.Actor {
		c := &conversation{o: o, act: act, key: act.Identity.Key()}
		c.peers[0], c.peers[1], _ = c.key.Peers()
		return c
	}
}

// Receive implements actor.Actor.
func (c *conversation) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case *actorpb.Append:
		c.append(ctx, m)
	case *actorpb.Seen:
		c.seen(ctx, m)
	case committed:
		c.committed(ctx, m)
	case *actorpb.Handed:
		c.handed(ctx, m.Request)
	case *actorpb.Refused:
		c.refused(ctx, m)
	case *actorpb.Fetch:
		c.fetch(ctx, m)
	case directory.Idle:
		if c.idle() {
			c.act.Directory.Release(c.act, ctx)
		}
	case *actor.Stopping:
		c.stopping(ctx)
	}
}

// stopping answers whoever still waits: the shard's leadership has ended. What
// was proposed may be stored or not; the sender finds out by sending again.
func (c *conversation) stopping(ctx actor.Context) {
	for _, s := range c.waiting {
		refuse(ctx, s.from, s.request, errMoved)
	}
	for _, s := range c.proposed {
		refuse(ctx, s.from, s.request, errUnknown)
	}
	for _, s := range c.opening {
		refuse(ctx, s.from, s.request, errUnknown)
	}
}

var (
	errMoved   = chat.Errorf(chat.CodeUnavailable, "send", "the conversation has moved; try again")
	errUnknown = chat.Errorf(chat.CodeTimeout, "send", "the conversation has moved; whether the message is stored is not known")
)

func (c *conversation) idle() bool {
	return len(c.waiting) == 0 && c.proposed == nil && len(c.opening) == 0
}

func (c *conversation) side(user string) int {
	if user == c.peers[1] {
		return 1
	}
	return 0
}

// refuse answers a request with an error.
func refuse(ctx actor.Context, to *actor.PID, request uint32, err error) {
	ctx.Send(to, &actorpb.Refused{Request: request, Error: wirepb.FromError("send", err)})
}
