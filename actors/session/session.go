// Package session is the virtual actor of a user: the devices that are
// attached, which of them may stay, what reaches them, and the user's view of
// their conversations. Connections and conversations, on any node, talk to it
// through the directory. It caches who is attached, which the connections tell
// it again wherever it is activated; everything else it reads. Nothing in it
// blocks. See DESIGN.md.
package session

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

// Options are what all sessions of a node share.
type Options struct {
	System     *actor.ActorSystem
	Replicator storage.Replicator
	// Limits gives an app's limits.
	Limits func(chat.AppID) chat.Limits
	Tables *Tables
	// Now is the server's clock, which may be set: for times that others read, not
	// for how long something takes.
	Now func() time.Time
}

// session is one activation. Its fields belong to Receive.
type session struct {
	o    Options
	act  directory.Activation
	user chat.UserKey

	self     *actor.PID
	devices  map[string]device // by the id of the connection's PID
	lists    lists
	rechecks rechecks
	asked    pending.Table[question]
	busy     int // reads under way that nobody waits for
}

// device is one attached connection, maybe of another node.
type device struct {
	pid  *actor.PID
	id   string
	link uint32    // counts the device's connections
	at   time.Time // when it attached, the last time, by this process's own clock
}

func (d device) node() storage.NodeID { return storage.NodeID(d.pid.Address) }

// New says how sessions are made.
func New(o Options) func(directory.Activation) actor.Actor {
	return func(act directory.Activation) actor.Actor {
		s := &session{o: o, act: act, user: act.Identity.User(), devices: make(map[string]device)}
		s.listen()
		return s
	}
}

// handlers are the methods that go to the user who asks.
var handlers = ask.List(
	ask.On((*session).list),
	ask.On((*session).clearUnread),
	ask.On((*session).updateConversation),
	ask.On((*session).updateUser),
	ask.On((*session).queryUsers),
)

// Methods lists what sessions handle.
func Methods() []uint32 { return handlers.Numbers() }

// Receive implements actor.Actor.
func (s *session) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case *actor.Started:
		s.self = ctx.Self()
	case *actorpb.Ask:
		handlers.Serve(s, ctx, m)
	case *actorpb.Attach:
		s.attach(ctx, m)
	case loggedIn:
		s.letIn(ctx, m)
	case *actorpb.Enroll:
		s.enroll(ctx, m)
	case *actorpb.Detach:
		s.detach(ctx)
	case directory.Gone:
		s.forgetNode(ctx, m)
	case directory.Recheck:
		s.recheck(ctx, m)
	case directory.Opened:
		s.lookAtOpened(ctx, m)
	case recheckRead:
		s.lookAtChanged(ctx, m)
	case readingTurn:
		s.continueReading(ctx, m.reading)
	case setRead:
		s.takeSet(ctx, m)
	case someRead:
		s.showSome(ctx, m)
	case directory.HeadsWait:
		s.takeHeads()
		s.tidy()
		s.nextPage(ctx) // the table may have to be read again
	case draftsRead:
		s.takeDrafts(ctx, m)
	case written:
		s.finishWrite(ctx, m)
	case *actorpb.Seen:
		s.take(ctx, m)
	case *actorpb.Answer:
		s.fail(ctx, m)
	case directory.Idle:
		s.tidy()
		if s.idle() {
			s.act.Directory.Release(s.act, ctx)
		}
	case *actor.Stopping:
		s.refuseAll()
	}
}

// refuseAll answers whoever still waits: the leadership of the user's shard has
// ended, or a handler panicked.
func (s *session) refuseAll() {
	for _, q := range s.asked.All() {
		q.stop(s)
	}
	if p := s.lists.page; p != nil {
		p.request.call.Refuse(errMoved)
	}
	s.refuseLists(true, errMoved)
	s.dropTable()
}

func (s *session) idle() bool {
	return len(s.devices) == 0 && s.asked.Len() == 0 && s.lists.page == nil && s.lists.reading == nil && s.busy == 0
}

func (s *session) detach(ctx actor.Context) {
	delete(s.devices, ctx.Sender().Id)
	s.dropLists(ctx.Sender().Equal)
	s.listen()
	s.nextPage(ctx)
}

func (s *session) local(pid *actor.PID) bool { return pid.Address == s.o.System.Address() }

// forgetNode forgets the devices of a node that has ended, or was out of reach for
// long; those that came back in time stay.
func (s *session) forgetNode(ctx actor.Context, m directory.Gone) {
	for id, d := range s.devices {
		if !s.local(d.pid) && d.node() == m.Node && time.Since(d.at) >= m.Spare {
			delete(s.devices, id)
			s.dropLists(d.pid.Equal)
		}
	}
	s.listen()
	s.nextPage(ctx)
}

// listen has pushes go to the devices that there are, after any change of them.
func (s *session) listen() {
	connections := make([]*actor.PID, 0, len(s.devices))
	for _, d := range s.devices {
		connections = append(connections, d.pid)
	}
	s.act.PushTo(connections)
}

func refuse(root *actor.RootContext, to *actor.PID, request uint32, op string, err error) {
	root.Send(to, actorpb.Refuse(request, op, err))
}
