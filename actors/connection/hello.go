package connection

import (
	"time"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/cluster/directory"
	"github.com/parley-im/parley/proto/actorpb"
	"github.com/parley-im/parley/proto/method"
	"github.com/parley-im/parley/proto/wirepb"
	"github.com/parley-im/parley/transport/wire"
)

// first takes the first frame, which must be hello, and asks the session to
// let the device in. broken is what is wrong with the frame.
func (c *Connection) first(q wire.Request, m *method.Method, broken error) {
	h := new(wirepb.Hello)
	if m == nil || m.Path != "Hello" || h.UnmarshalVT(q.Body) != nil {
		c.refuse(q.ID, "request", chat.Errorf(chat.CodeNotLoggedIn, "request", "the first frame must be hello"))
		c.end(closeMalformed, "the first frame must be hello")
		return
	}
	if broken != nil {
		c.turnAway(q.ID, broken)
		return
	}
	user := chat.UserKey{App: chat.AppID(h.AppId), ID: h.UserId}
	expires, err := c.authenticate(user, h)
	if err != nil {
		c.turnAway(q.ID, err)
		return
	}
	c.mu.Lock()
	if c.phase != fresh {
		c.mu.Unlock()
		return
	}
	if c.account = c.o.Admission.Open(user, c.o.Limits(user.App).Connections); c.account == nil {
		c.mu.Unlock()
		c.turnAway(q.ID, chat.Errorf(chat.CodeBusy, "login", "this user or app has as many connections to this node as it may; try again later"))
		return
	}
	c.phase, c.user, c.device, c.link, c.expires = greeting, user, h.DeviceId, h.Link, expires
	c.mu.Unlock()
	number, err := c.enter(q.ID, m, forHello)
	if err == nil {
		err = c.send(number, directory.SessionOf(user), &actorpb.Attach{
			Request: number, AppId: h.AppId, UserId: h.UserId, UserName: h.UserName, AvatarUrl: h.AvatarUrl,
			DeviceId: h.DeviceId, Platform: h.Platform, Resume: h.Resume, Link: h.Link,
		})
	}
	if err != nil {
		c.turnAway(q.ID, err)
	}
}

// authenticate checks hello in the order: form, token.
func (c *Connection) authenticate(user chat.UserKey, h *wirepb.Hello) (expires time.Time, err error) {
	if h.ProtocolVersion != wire.ProtocolVersion {
		return expires, chat.Errorf(chat.CodeProtocolUnsupported, "login", "protocol version %d is not spoken here; %d is", h.ProtocolVersion, wire.ProtocolVersion)
	}
	if err := chat.CheckUserID("login", h.UserId); err != nil {
		return expires, err
	}
	if err := chat.CheckDeviceID("login", h.DeviceId); err != nil {
		return expires, err
	}
	if err := chat.CheckProfile("login", h.UserName, h.AvatarUrl); err != nil {
		return expires, err
	}
	if len(h.Platform) > chat.MaxPlatformBytes {
		return expires, chat.Errorf(chat.CodeInvalidParam, "login", "the platform has %d bytes; at most %d are allowed", len(h.Platform), chat.MaxPlatformBytes)
	}
	verify := c.o.Verifier().Verify
	if h.Resume {
		verify = c.o.Verifier().VerifyReturn
	}
	claims, err := verify(h.Token, user.App, user.ID, c.o.Now())
	return claims.ExpiresAt, err
}

// turnAway ends a connection that was not let in.
func (c *Connection) turnAway(request uint32, err error) {
	c.refuse(request, "login", err)
	code := closeAuth
	if chat.CodeOf(err).Retryable() {
		code = closeOverloaded
	}
	c.end(code, "not logged in")
}

// attached takes the session's answer: the client is welcomed, once.
func (c *Connection) attached(m *actorpb.Attached) {
	q, ok := c.leave(m.Request, false)
	switch {
	case ok && q.what == forReattach:
		c.reattached()
	case ok && q.what == forHello:
		c.welcome(q.id, m)
	}
}

// welcome lets the client in. The lock is held until the answer is on its way, so
// that no push comes before it.
func (c *Connection) welcome(id uint32, m *actorpb.Attached) {
	c.o.Relay.Add(c.user, c.pid.Id, c) // before the session may move unseen
	reply := c.helloReply(m)
	c.mu.Lock()
	if c.phase != greeting {
		c.mu.Unlock()
		c.o.Relay.Remove(c.user, c.pid.Id)
		c.detach(c.user) // closed meanwhile: the session must not keep it
		return
	}
	reply.TokenExpiresAtMs = uint64(c.expires.UnixMilli())
	taken := false
	frame, err := wirepb.NewServerFrame(id, &wirepb.ServerFrame_Hello{Hello: reply}).MarshalVT()
	if err == nil {
		frame, err = c.codec.Outbound(frame)
	}
	if err == nil {
		c.phase, taken = welcome, c.socket.Write(frame, replyLimit)
	}
	c.mu.Unlock()
	if !taken {
		c.o.Log.Error("a client is not welcomed", "error", err)
		c.end(closeOverloaded, "the answer to hello does not fit")
		return
	}
	c.socket.Authenticated()
}

func (c *Connection) helloReply(m *actorpb.Attached) *wirepb.HelloReply {
	l := c.o.Limits(c.user.App)
	return &wirepb.HelloReply{
		ProtocolVersion: wire.ProtocolVersion, ServerTimeMs: uint64(c.o.Now().UnixMilli()),
		HeartbeatIntervalMs: uint32(c.o.Timing.Heartbeat.Milliseconds()), HeartbeatTimeoutMs: uint32(c.o.Timing.Silence.Milliseconds()),
		UserName: m.UserName, AvatarUrl: m.AvatarUrl, Node: c.o.Node, Servers: c.o.Servers(),
		Limits: &wirepb.Limits{
			TextBytes: uint32(l.TextBytes), CustomBytes: uint32(l.CustomBytes), CommandBytes: uint32(l.CommandBytes),
			ExtendedDataBytes: uint32(l.ExtendedDataBytes), FrameBytes: uint32(c.o.MaxFrame),
			DedupeWindowMs: uint64(l.Dedupe.Age.Milliseconds()), InFlight: maxInFlight,
			SearchedContentBytes: uint32(l.SearchedBytes), Mentions: chat.MaxMentions,
		},
	}
}

// renew puts a new token in the place of the old one.
func (c *Connection) renew(id uint32, r *wirepb.RenewToken) error {
	claims, err := c.o.Verifier().Verify(r.GetToken(), c.user.App, c.user.ID, c.o.Now())
	if err != nil {
		return err
	}
	c.mu.Lock()
	c.expires, c.warned = claims.ExpiresAt, false
	c.mu.Unlock()
	c.reply(id, &wirepb.ServerFrame_RenewToken{RenewToken: &wirepb.RenewTokenReply{TokenExpiresAtMs: uint64(claims.ExpiresAt.UnixMilli())}})
	return nil
}

// detach tells the session; if it is not there, it has nothing to forget.
func (c *Connection) detach(user chat.UserKey) {
	err := c.o.Directory.Send(directory.SessionOf(user), &actorpb.Detach{AppId: uint32(user.App), UserId: user.ID}, c.pid)
	if err != nil {
		c.o.Log.Debug("detach not delivered", "error", err)
	}
}
