// Package session is the virtual actor of a user: the devices that are
// attached, which of them may stay, what reaches them, and the user's view of
// their conversations. Connections and conversations talk to it through the
// directory. It caches who is attached; everything else it reads. Nothing in
// it blocks.
package session

import (
	"github.com/asynkron/protoactor-go/actor"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/cluster/directory"
	"github.com/parley-im/parley/proto/actorpb"
	"github.com/parley-im/parley/proto/wirepb"
	"github.com/parley-im/parley/storage"
)

// Options are what all sessions of a node share.
type Options struct {
	System     *actor.ActorSystem
	Replicator storage.Replicator
}

// session is one activation. Its fields belong to Receive.
type session struct {
	o    Options
	act  directory.Activation
	user chat.UserKey

	devices  map[string]device // by the id of the connection's PID
	listings map[uint32]*listing
	marking  map[uint32]marking
	requests uint32
	pending  int // proposals and reads under way
}

// device is one attached connection.
type device struct {
	pid *actor.PID
	id  string
}

// New says how sessions are made.
func New(o Options) func(directory.Activation) actor.Actor {
	return func(act directory.Activation) actor.Actor {
		return &session{
			o: o, act: act, user: act.Identity.User(), devices: make(map[string]device),
		}
	}
}

// Receive implements actor.Actor.
func (s *session) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case *actorpb.Attach:
		s.attach(ctx, m)
	case loggedIn:
		s.loggedIn(ctx, m)
	case *actorpb.Detach:
		delete(s.devices, ctx.Sender().Id)
	case *actorpb.Deliver:
		s.deliver(ctx, m)
	case *actorpb.List:
		s.list(ctx, m)
	case membershipsRead:
		s.membershipsRead(ctx, m)
	case *actorpb.MarkRead:
		s.markRead(ctx, m)
	case marked:
		s.marked(ctx, m)
	case *actorpb.Seen:
		s.seen(ctx, m)
	case *actorpb.Refused:
		s.refused(ctx, m)
	case directory.Idle:
		if s.idle() {
			s.act.Directory.Release(s.act, ctx)
		}
	}
}

func (s *session) idle() bool {
	return len(s.devices) == 0 && len(s.listings) == 0 && len(s.marking) == 0 && s.pending == 0
}

// deliver hands a push to every device but the one it came from.
func (s *session) deliver(ctx actor.Context, m *actorpb.Deliver) {
	for id, d := range s.devices {
		if id != m.Origin {
			ctx.Send(d.pid, m)
		}
	}
}

func refuse(root *actor.RootContext, to *actor.PID, request uint32, op string, err error) {
	root.Send(to, &actorpb.Refused{Request: request, Error: wirepb.FromError(op, err)})
}
