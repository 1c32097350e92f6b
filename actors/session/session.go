// Package session is the virtual actor of a user: the devices that are
// attached, which of them may stay, what reaches them, and the user's view of
// their conversations. Connections and conversations, on any node, talk to it
// through the directory. It caches who is attached, which the connections tell
// it anew wherever it is activated; everything else it reads. Nothing in it
// blocks. See DESIGN.md.
package session

import (
	"time"

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
	// Now is the server's clock, which may be set: for times that others read, not
	// for how long something takes.
	Now func() time.Time
}

// session is one activation. Its fields belong to Receive.
type session struct {
	o    Options
	act  directory.Activation
	user chat.UserKey

	devices   map[string]device // by the id of the connection's PID
	attaching map[uint32]*attaching
	reading   map[*listing]struct{} // the user's set is being read for them
	listings  map[uint32]*listing
	marking   map[uint32]marking
	rechecks  rechecks
	requests  uint32
	pending   int // proposals and reads under way
}

// device is one attached connection, maybe of another node.
type device struct {
	pid *actor.PID
	id  string
	at  time.Time // when it attached, the last time, by this process's own clock
}

func (d device) node() storage.NodeID { return storage.NodeID(d.pid.Address) }

// New says how sessions are made.
func New(o Options) func(directory.Activation) actor.Actor {
	return func(act directory.Activation) actor.Actor {
		s := &session{
			o: o, act: act, user: act.Identity.User(), devices: make(map[string]device), reading: make(map[*listing]struct{}),
		}
		s.listen()
		return s
	}
}

// Receive implements actor.Actor.
func (s *session) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case *actorpb.Attach:
		s.attach(ctx, m)
	case loggedIn:
		s.loggedIn(ctx, m)
	case *actorpb.Enroll:
		s.enroll(ctx, m)
	case *actorpb.Detach:
		delete(s.devices, ctx.Sender().Id)
		s.listen()
	case directory.Gone:
		s.gone(m)
	case *actorpb.Deliver:
		s.deliver(ctx, m)
	case directory.Recheck:
		s.recheck(ctx, m)
	case directory.Opened:
		s.opened(ctx, m)
	case recheckRead:
		s.recheckRead(ctx, m)
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
	case *actor.Stopping:
		s.stopping()
	}
}

// stopping answers whoever still waits: the leadership of the user's shard has
// ended. A login may be written or not; the client comes again.
func (s *session) stopping() {
	root := s.o.System.Root
	for _, a := range s.attaching {
		refuse(root, a.from, a.ask.Request, "login", errMoved)
	}
	for _, l := range s.listings {
		s.reading[l] = struct{}{} // each once
	}
	for l := range s.reading {
		refuse(root, l.from, l.ask.Request, "list conversations", errMoved)
	}
	for _, m := range s.marking {
		refuse(root, m.from, m.ask.Request, "clear unread", errMoved)
	}
}

var errMoved = chat.Errorf(chat.CodeUnavailable, "session", "the user's session has moved; try again")

func (s *session) idle() bool {
	return len(s.devices) == 0 && len(s.attaching) == 0 && len(s.listings) == 0 && len(s.marking) == 0 && s.pending == 0
}

// deliver hands a push to every device but the one it came from: here at once,
// elsewhere by the relay of their node.
func (s *session) deliver(ctx actor.Context, m *actorpb.Deliver) {
	var away map[storage.NodeID][]string
	for id, d := range s.devices {
		switch {
		case id == m.Origin:
		case s.local(d.pid):
			ctx.Send(d.pid, m)
		default:
			if away == nil {
				away = make(map[storage.NodeID][]string)
			}
			away[d.node()] = append(away[d.node()], id)
		}
	}
	for node, connections := range away {
		ctx.Send(actor.NewPID(string(node), directory.RelayProcess), &actorpb.Deliver{Frame: m.Frame, Connections: connections})
	}
}

func (s *session) local(pid *actor.PID) bool { return pid.Address == s.o.System.Address() }

// gone forgets the devices of a node that has ended, or was out of reach for
// long; those that came back in time stay.
func (s *session) gone(m directory.Gone) {
	for id, d := range s.devices {
		if !s.local(d.pid) && d.node() == m.Node && time.Since(d.at) >= m.Spare {
			delete(s.devices, id)
		}
	}
	s.listen()
}

// listen has pushes come here or not, after any change of the devices: those
// that the only device sent itself are for nobody.
func (s *session) listen() {
	only := ""
	if len(s.devices) == 1 {
		for id := range s.devices {
			only = id
		}
	}
	s.act.SkipOrigin(only)
}

func refuse(root *actor.RootContext, to *actor.PID, request uint32, op string, err error) {
	root.Send(to, &actorpb.Refused{Request: request, Error: wirepb.FromError(op, err)})
}
