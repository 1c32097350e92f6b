package client

import (
	"context"
	"crypto/rand"
	"errors"
	"time"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/proto/wirepb"
)

// SendRequest is one message to one user.
type SendRequest struct {
	Peer string
	// Message's slices must not change until the send has ended.
	chat.Message
	// ClientMessageID makes the send idempotent: to try again after an unknown
	// outcome, in this login or a later one, send with the same id and content.
	// Client.NewMessageID gives one; zero takes one that the caller never learns.
	ClientMessageID chat.ClientMessageID
}

// Ack says that a message is durable, and where it stands.
type Ack struct {
	MessageID string
	// Seq is the message's place in the conversation; 0 for a command.
	Seq      uint64
	OrderKey uint64
	Time     time.Time
	// Duplicate: the id had been accepted before; the rest is as it was then.
	Duplicate bool
}

const opSend = "send"

// Send sends a message and waits until it is durable. Until ctx ends it tries
// again by itself, over reconnects too, under the same id. Sends to one user
// reach the server in the order in which Send was called. Errors: the server's
// refusal; CodeTimeout when the outcome is unknown; CodeNotLoggedIn after the
// login has ended. With NoReconnect there is one attempt, and no order among
// concurrent sends.
func (c *Client) Send(ctx context.Context, r SendRequest) (Ack, error) {
	if err := c.prepare(&r); err != nil {
		return Ack{}, err
	}
	if !c.o.NoReconnect {
		if err := c.turns.take(ctx, r.Peer); err != nil {
			return Ack{}, chat.Errorf(chat.CodeBusy, opSend, "an earlier message to %s is not through yet: %w", r.Peer, err)
		}
		defer c.turns.pass(r.Peer)
	}
	if c.deliver != nil && r.Type.Stored() {
		c.deliver.sending(r.ClientMessageID)
	}
	f, err := c.do(ctx, opSend, r.frame())
	if err != nil && c.deliver != nil {
		c.deliver.forget(r.ClientMessageID)
	}
	return ackFrom(f, err)
}

// SendAsync makes one attempt and returns; done is called once, with a refusal,
// CodeTimeout when the connection is lost, or CodeBusy at once when MaxInFlight
// requests await their reply. It is called on the reader's goroutine or, before
// SendAsync returns, on the caller's; it must return at once. It keeps no order
// with Send.
func (c *Client) SendAsync(r SendRequest, done func(Ack, error)) {
	if err := c.prepare(&r); err != nil {
		done(Ack{}, err)
		return
	}
	select {
	case c.slots <- struct{}{}:
	default:
		done(Ack{}, chat.Errorf(chat.CodeBusy, opSend, "%d requests await their reply already", cap(c.slots)))
		return
	}
	c.mu.Lock()
	l := c.link
	var err error
	switch {
	case c.cause != nil:
		err = c.ended(opSend)
	case l == nil:
		err = chat.Errorf(chat.CodeUnavailable, opSend, "not connected just now")
	}
	c.mu.Unlock()
	if err != nil {
		c.leave()
		done(Ack{}, err)
		return
	}
	if c.deliver != nil && r.Type.Stored() {
		c.deliver.sending(r.ClientMessageID)
	}
	request := r.frame()
	l.start(request, func(f *wirepb.ServerFrame, err error) {
		c.leave()
		c.note(request, f)
		switch {
		case errors.Is(err, errLost):
			err = unknown(opSend, err)
		case err != nil:
			err = under(opSend, err)
		}
		if err != nil && c.deliver != nil {
			c.deliver.forget(r.ClientMessageID)
		}
		done(ackFrom(f, err))
	})
}

// note tells the deliverer of an ack; the connection's reader calls it.
func (c *Client) note(request *wirepb.ClientFrame, f *wirepb.ServerFrame) {
	if sent := f.GetSendMessage(); c.deliver != nil && sent != nil && request.GetSendMessage() != nil {
		c.deliver.acked(request.GetSendMessage(), sent)
	}
}

// prepare fills in what the caller left to us.
func (c *Client) prepare(r *SendRequest) error {
	if err := chat.CheckUserID(opSend, r.Peer); err != nil {
		return err
	}
	if r.ClientMessageID == (chat.ClientMessageID{}) {
		r.ClientMessageID = c.NewMessageID()
	}
	return nil
}

// NewMessageID gives the id of a new message, whose first attempt is made now.
func (c *Client) NewMessageID() chat.ClientMessageID {
	var id chat.ClientMessageID
	rand.Read(id[:]) // never fails: crypto/rand ends the program instead
	id.SetIssuedAt(c.ServerTime().UnixMilli())
	return id
}

func (r *SendRequest) frame() *wirepb.ClientFrame {
	return &wirepb.ClientFrame{Body: &wirepb.ClientFrame_SendMessage{SendMessage: &wirepb.SendMessage{
		Conversation: peerRef(r.Peer), ClientMessageId: r.ClientMessageID[:], IssuedAtMs: uint64(r.ClientMessageID.IssuedAt()),
		Type: uint32(r.Type), Content: wirepb.EncodeContent(&r.Message),
	}}}
}

func ackFrom(f *wirepb.ServerFrame, err error) (Ack, error) {
	if err != nil {
		return Ack{}, err
	}
	s := f.GetSendMessage()
	if s == nil {
		return Ack{}, unexpected(opSend, f)
	}
	return Ack{
		MessageID: s.GetMessageId(), Seq: s.GetSeq(), OrderKey: s.GetOrderKey(),
		Time: time.UnixMilli(int64(s.GetTimestampMs())), Duplicate: s.GetDuplicate(),
	}, nil
}
