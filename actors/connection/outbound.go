package connection

import (
	"sync"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/proto/actorpb"
	"github.com/parley-im/parley/proto/wirepb"
	"github.com/parley-im/parley/transport/wire"
)

// SendUserMessage implements actor.Process: an answer or a push. It runs on
// the sender's goroutine.
func (c *Connection) SendUserMessage(_ *actor.PID, message any) {
	switch m := actor.UnwrapEnvelopeMessage(message).(type) {
	case *actorpb.Deliver:
		c.push(m)
	case *actorpb.Answer:
		c.answer(m)
	case *actorpb.Attached:
		c.attached(m)
	case *actorpb.Kick:
		c.kicked(m.Reason)
	}
}

// answer ends a request, unless it was answered before.
func (c *Connection) answer(m *actorpb.Answer) {
	if m.Error != nil {
		c.fail(m.Request, m.Error)
		return
	}
	if q, ok := c.leave(m.Request, false); ok && q.what == forClient {
		c.write(func(dst []byte) ([]byte, error) { return wire.AppendReply(dst, q.id, q.method.Number, m) })
	}
}

// fail ends a request with an error.
func (c *Connection) fail(number uint32, e *wirepb.Error) {
	q, ok := c.leave(number, true)
	switch {
	case !ok:
	case q.what == forReattach:
		c.reattachRefused()
	case q.what == forHello:
		c.turnAway(q.id, chat.Errorf(chat.Code(e.GetCode()), "login", "%s", e.GetMessage()))
	default:
		c.reply(q.id, &wirepb.ServerFrame_Error{Error: e})
	}
}

func (c *Connection) refuse(request uint32, op string, err error) {
	c.reply(request, &wirepb.ServerFrame_Error{Error: wirepb.FromError(op, err)})
}

var scratch = sync.Pool{New: func() any { b := make([]byte, 0, 1024); return &b }}

// reply encodes a frame and enqueues it.
func (c *Connection) reply(to uint32, body wirepb.ServerBody) {
	c.write(wirepb.NewServerFrame(to, body).AppendVT)
}

// write enqueues an answer, encoded by appending it. Answers are bounded by the
// requests in flight; a client that lets more than replyLimit of them wait is cut
// off.
func (c *Connection) write(encode func(dst []byte) ([]byte, error)) {
	buf := scratch.Get().(*[]byte)
	defer scratch.Put(buf)
	frame, err := encode((*buf)[:0])
	message := frame
	if err == nil {
		message, err = c.codec.Outbound(frame)
	}
	if err != nil {
		c.o.Log.Error("frame not encoded", "error", err)
		c.end(closeMalformed, "internal error")
		return
	}
	if cap(frame) <= 64<<10 {
		*buf = frame
	}
	if !c.socket.Write(message, replyLimit) {
		c.end(closeOverloaded, "the client does not read")
	}
}

// push enqueues what nobody asked for. Without room it is dropped and the
// client told, once there is room again, to pull. The lock is held over Write,
// so that Drained cannot come between a refusal and the note of it.
func (c *Connection) push(m *actorpb.Deliver) {
	message, err := c.codec.Outbound(m.Frame)
	if err != nil {
		c.o.Log.Error("push not encoded", "error", err)
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.phase == welcome && !c.behind {
		c.behind = !c.socket.Write(message, pushLimit)
	}
}

// Drained implements the transport's handler.
func (c *Connection) Drained() {
	c.mu.Lock()
	behind := c.behind
	c.behind = false
	c.mu.Unlock()
	if behind {
		c.reply(0, &wirepb.ServerFrame_Behind{Behind: &wirepb.Behind{}})
	}
}

// kicked ends the login: another device is in, or (unspecified) this device
// has a newer connection.
func (c *Connection) kicked(reason wirepb.Kicked_Reason) {
	if reason == wirepb.Kicked_REASON_UNSPECIFIED {
		c.end(closeNormal, "replaced by a newer connection of this device")
		return
	}
	c.reply(0, &wirepb.ServerFrame_Kicked{Kicked: &wirepb.Kicked{Reason: reason}})
	c.end(closeKicked, "another device has logged in")
}
