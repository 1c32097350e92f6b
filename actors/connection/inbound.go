package connection

import (
	"bytes"
	"time"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/cluster/ask"
	"github.com/parley-im/parley/cluster/directory"
	"github.com/parley-im/parley/proto/actorpb"
	"github.com/parley-im/parley/proto/method"
	"github.com/parley-im/parley/proto/methodpb"
	"github.com/parley-im/parley/proto/wirepb"
	"github.com/parley-im/parley/transport/wire"
)

// Receive implements the transport's handler: one message from the client. The
// message is the transport's again afterwards.
func (c *Connection) Receive(message []byte, text bool) {
	if text != c.codec.Text() {
		c.end(closeWrongType, "this subprotocol's frames are of the other type")
		return
	}
	c.mu.Lock()
	c.lastFrame = time.Now()
	at := c.phase
	c.mu.Unlock()
	if at == fresh && len(message) > maxHelloBytes {
		c.end(closeMalformed, "the first frame is too large")
		return
	}
	var q wire.Request
	frame, err := c.codec.Inbound(message)
	if err == nil {
		q, err = wire.Split(frame)
	}
	m := method.ByNumber(q.Method)
	if err == nil && m != nil {
		err = m.Request.Check(q.Body)
	}
	switch {
	case chat.CodeOf(err) == chat.CodeMalformedFrame:
		c.refuse(0, "decode", err)
		c.end(closeMalformed, "malformed frame")
	case at == gone:
	case at == fresh:
		c.first(q, m, err)
	case m == nil:
		c.refuse(q.ID, "decode", chat.Errorf(chat.CodeUnknownFrame, "decode", "frame %d has no body that protocol version %d knows", q.ID, wire.ProtocolVersion))
	case q.ID == 0:
		c.refuse(0, "decode", chat.Errorf(chat.CodeInvalidParam, "decode", "a request needs an id above 0"))
	case at == greeting:
		c.refuse(q.ID, "request", chat.Errorf(chat.CodeNotLoggedIn, "request", "wait for the answer to hello before the next request"))
	default:
		if err == nil {
			err = c.handle(q, m)
		}
		if err != nil {
			c.refuse(q.ID, m.Path, err)
		}
	}
}

// handle does what a welcomed client asks of this node, and hands on the rest.
func (c *Connection) handle(q wire.Request, m *method.Method) error {
	if m.To == methodpb.To_TO_NODE {
		if err := c.spend(m); err != nil {
			return err
		}
		return own[m.Number](c, q)
	}
	to, err := ask.Target(c.user, m, q.Body)
	if err != nil {
		return err
	}
	number, err := c.enter(q.ID, m, forClient)
	if err != nil {
		return err
	}
	return c.send(number, to, &actorpb.Ask{
		Request: number, Method: m.Number, AppId: uint32(c.user.App), UserId: c.user.ID, DeviceId: c.device, Origin: c.pid.Id,
		DeadlineMs: uint32(ask.AnswerTime.Milliseconds()), RequestId: bytes.Clone(q.RequestID), Body: bytes.Clone(q.Body),
	})
}

// send hands a request that was entered to an actor.
func (c *Connection) send(number uint32, to directory.Identity, message any) error {
	err := c.o.Directory.Send(to, message, c.pid)
	if err != nil {
		c.leave(number, true)
	}
	return err
}

// own are the methods that a node handles itself.
var own = map[uint32]func(*Connection, wire.Request) error{
	numberOf("Hello"):      node((*Connection).helloAgain),
	numberOf("Ping"):       node((*Connection).ping),
	numberOf("RenewToken"): node((*Connection).renew),
	numberOf("Goodbye"):    node((*Connection).goodbye),
}

// Methods lists what connections handle.
func Methods() (numbers []uint32) {
	for n := range own {
		numbers = append(numbers, n)
	}
	return numbers
}

func numberOf(path string) uint32 { return method.ByPath(path).Number }

// node gives a handler its request in the request's own type.
func node[Q any, PQ interface {
	*Q
	actorpb.Message
}](f func(*Connection, uint32, PQ) error) func(*Connection, wire.Request) error {
	return func(c *Connection, r wire.Request) error {
		q := PQ(new(Q))
		if err := q.UnmarshalVT(r.Body); err != nil {
			return chat.Errorf(chat.CodeInvalidParam, "decode", "%w", err)
		}
		return f(c, r.ID, q)
	}
}

func (c *Connection) helloAgain(uint32, *wirepb.Hello) error {
	return chat.Errorf(chat.CodeInvalidParam, "hello", "this connection has said hello already")
}

func (c *Connection) ping(id uint32, _ *wirepb.Ping) error {
	c.reply(id, &wirepb.ServerFrame_Ping{Ping: &wirepb.PingReply{ServerTimeMs: uint64(c.o.Now().UnixMilli())}})
	return nil
}

func (c *Connection) goodbye(id uint32, _ *wirepb.Goodbye) error {
	c.reply(id, &wirepb.ServerFrame_Goodbye{Goodbye: &wirepb.GoodbyeReply{}})
	c.end(closeNormal, "goodbye")
	return nil
}
