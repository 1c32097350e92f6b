package session

import (
	"slices"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/proto/actorpb"
	"github.com/parley-im/parley/proto/wirepb"
	"github.com/parley-im/parley/storage"
)

// attaching is a device on its way in.
type attaching struct {
	from *actor.PID
	ask  *actorpb.Attach
}

// loggedIn brings the user's row after a login was committed or a resume has
// read it.
type loggedIn struct {
	number uint32
	user   chat.User
	err    error
}

// attach lets a device in. A fresh login is written first, so that it is the
// newest one for every node and after every restart; a resumed one only looks
// whether it still is.
func (s *session) attach(ctx actor.Context, m *actorpb.Attach) {
	root, self := s.o.System.Root, ctx.Self()
	answer := loggedIn{number: s.asked.Add(&attaching{ctx.Sender(), m})}
	if m.Resume {
		s.o.Replicator.Read(s.act.Shard, s.asker(storage.Login), func(v storage.View) (err error) {
			answer.user, _, err = v.User(s.user)
			return err
		}, func(err error) {
			answer.err = err
			root.Send(self, answer)
		})
		return
	}
	login := chat.Login{
		User: s.user, Name: m.UserName, AvatarURL: m.AvatarUrl, DeviceID: m.DeviceId, Devices: s.o.Limits(s.user.App).Devices, Online: s.online(),
	}
	s.o.Replicator.Propose(s.act.Shard, s.act.Term, []chat.CommandBody{login}, func(out storage.Outcome, err error) {
		if err == nil {
			answer.user = out.Results[0].User
		}
		answer.err = err
		root.Send(self, answer)
	})
}

// answer implements question; nobody looks for a device on its way in.
func (*attaching) answer(*session, actor.Context, *actorpb.Seen) {}

func (a *attaching) fail(s *session, _ actor.Context, err error) {
	refuse(s.o.System.Root, a.from, a.ask.Request, "login", err)
}

// stop implements question: a login may be written or not, the client comes again.
func (a *attaching) stop(s *session) {
	err := errUnknown
	if a.ask.Resume {
		err = errMoved
	}
	a.fail(s, nil, err)
}

// online are the devices that are attached.
func (s *session) online() []string {
	ids := make([]string, 0, len(s.devices))
	for _, d := range s.devices {
		ids = append(ids, d.id)
	}
	return ids
}

// letIn attaches the device and has those go that may not stay beside it.
func (s *session) letIn(ctx actor.Context, m loggedIn) {
	q, _ := s.asked.Take(m.number)
	a, ok := q.(*attaching)
	switch {
	case !ok:
		return
	case m.err != nil:
		a.fail(s, ctx, m.err)
		return
	case !mayStay(m.user, a.ask.DeviceId):
		ctx.Send(a.from, &actorpb.Kick{Reason: wirepb.Kicked_REASON_OTHER_DEVICE})
		return
	}
	for id, d := range s.devices {
		if a.ask.Resume && id != a.from.Id && d.id == a.ask.DeviceId && d.link > a.ask.Link {
			// The connection that the device has left comes back after its
			// newer one, for instance because the session has moved.
			ctx.Send(a.from, &actorpb.Kick{Reason: wirepb.Kicked_REASON_UNSPECIFIED})
			return
		}
	}
	for id, d := range s.devices {
		switch {
		case id == a.from.Id:
			continue
		case d.id == a.ask.DeviceId:
			ctx.Send(d.pid, &actorpb.Kick{Reason: wirepb.Kicked_REASON_UNSPECIFIED}) // its own newer connection
		case mayStay(m.user, d.id):
			continue
		default:
			ctx.Send(d.pid, &actorpb.Kick{Reason: wirepb.Kicked_REASON_OTHER_DEVICE})
		}
		delete(s.devices, id)
	}
	s.devices[a.from.Id] = device{pid: a.from, id: a.ask.DeviceId, link: a.ask.Link, at: time.Now()}
	s.listen() // before the device hears that it is in
	s.rechecks.came = time.Now()
	ctx.Send(a.from, &actorpb.Attached{Request: a.ask.Request, UserName: m.user.Name, AvatarUrl: m.user.AvatarURL})
	if a.ask.MissedMs > 0 {
		s.act.Directory.PushAgain(s.user, time.Duration(a.ask.MissedMs)*time.Millisecond)
	}
}

func mayStay(u chat.User, device string) bool {
	return slices.ContainsFunc(u.Devices, func(d chat.Device) bool { return d.ID == device })
}

// enroll makes the user exist without letting any device in.
func (s *session) enroll(ctx actor.Context, m *actorpb.Enroll) {
	root, to := s.o.System.Root, ctx.Sender()
	login := chat.Login{User: s.user, Name: m.UserName}
	s.o.Replicator.Propose(s.act.Shard, s.act.Term, []chat.CommandBody{login}, func(_ storage.Outcome, err error) {
		if err != nil {
			refuse(root, to, m.Request, "enroll", err)
			return
		}
		root.Send(to, &actorpb.Enrolled{Request: m.Request})
	})
}
