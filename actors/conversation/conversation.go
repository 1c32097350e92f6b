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
	"github.com/parley-im/parley/cluster/ask"
	"github.com/parley-im/parley/cluster/directory"
	"github.com/parley-im/parley/internal/pending"
	"github.com/parley-im/parley/proto/actorpb"
	"github.com/parley-im/parley/storage"
)

// Bounds of what one conversation may keep waiting. Above them a send is
// refused with CodeBusy.
const (
	maxWaiting      = 2048
	maxWaitingBytes = 4 << 20 // of contents
)

// Bounds of a proposal, but for a single message. A long one would stand in front
// of its shard's heartbeats.
const (
	maxProposal      = 512
	maxProposalBytes = 256 << 10 // of contents
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

	peers    [2]peer
	looking  bool       // whether a peer is registered is being asked
	waiting  []*sending // validated, in order of arrival
	bytes    int        // of contents in waiting
	proposed []*sending // in the proposal under way, nil when there is none
	recalls  int        // proposed
	asked    pending.Table[question]
}

// peer is one of the two users.
//
// Invariant: held is empty when opening is 0.
type peer struct {
	user       string
	shard      storage.ShardID
	registered bool       // known to be; that never ends
	opening    int        // effects on their way that put the conversation into the user's list
	held       []*sending // the user's own, stored, whose acks wait for those
}

// question is what a shard's actor was asked: to hand on an effect that puts the
// conversation into the lists of some peers, or whether a peer is registered.
type question struct {
	opens [2]bool
	looks *peer // nil: it is the other question
}

// sending is one message on its way through the conversation.
type sending struct {
	call    *ask.Call
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
		c.peers[0].user, c.peers[1].user, _ = c.key.Peers()
		for i := range c.peers {
			p := &c.peers[i]
			p.shard = storage.UserShard(o.Replicator.Shards(), chat.UserKey{App: c.key.App, ID: p.user})
		}
		return c
	}
}

// handlers are the methods that go to a conversation.
var handlers = ask.List(
	ask.On((*conversation).send),
	ask.On((*conversation).query),
	ask.On((*conversation).recall),
	ask.On((*conversation).changes),
)

// Methods lists what conversations handle.
func Methods() []uint32 { return handlers.Numbers() }

// Receive implements actor.Actor.
func (c *conversation) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case *actorpb.Ask:
		handlers.Serve(c, ctx, m)
	case *actorpb.Seen:
		c.register(ctx, m)
	case committed:
		c.answer(ctx, m)
	case recalled:
		c.change(m)
	case *actorpb.DeliveredThrough:
		c.open(m.Request)
	case *actorpb.Answer:
		c.fail(m)
	case directory.Idle:
		if c.idle() {
			c.act.Directory.Release(c.act, ctx)
		}
	case *actor.Stopping:
		c.refuseAll()
	}
}

// refuseAll answers whoever still waits: the shard's leadership has ended, or a
// handler panicked. What was proposed may be stored or not; the sender finds out
// by sending again.
func (c *conversation) refuseAll() {
	for _, s := range c.waiting {
		s.call.Refuse(errMoved)
	}
	for _, s := range c.proposed {
		s.call.Refuse(errUnknown)
	}
	for i := range c.peers {
		for _, s := range c.peers[i].held {
			s.call.Refuse(errUnknown)
		}
	}
}

var (
	errMoved   = chat.Errorf(chat.CodeUnavailable, "send", "the conversation has moved; try again")
	errUnknown = chat.Errorf(chat.CodeTimeout, "send", "the conversation has moved; whether the message is stored is not known")
)

func (c *conversation) idle() bool {
	return len(c.waiting) == 0 && c.proposed == nil && c.recalls == 0 && c.asked.Len() == 0
}

// full says that no further send may wait.
func (c *conversation) full() bool {
	return len(c.waiting)+len(c.peers[0].held)+len(c.peers[1].held) >= maxWaiting || c.bytes >= maxWaitingBytes
}

func (c *conversation) peer(user string) *peer {
	if user == c.peers[1].user {
		return &c.peers[1]
	}
	return &c.peers[0]
}
