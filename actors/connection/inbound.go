package connection

import (
	"time"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/cluster/directory"
	"github.com/parley-im/parley/internal/broken"
	"github.com/parley-im/parley/proto/actorpb"
	"github.com/parley-im/parley/proto/wirepb"
)

// Receive implements the transport's handler: one message from the client.
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
	f, err := c.codec.DecodeClient(message)
	if chat.CodeOf(err) == chat.CodeMalformedFrame {
		c.reply(0, &wirepb.ServerFrame_Error{Error: wirepb.FromError("decode", err)})
		c.end(closeMalformed, "malformed frame")
		return
	}
	switch {
	case at == gone:
	case at == fresh:
		c.first(f, err)
	case err != nil:
		c.refuse(f.GetId(), "decode", err)
	case f.Id == 0:
		c.refuse(0, "decode", chat.Errorf(chat.CodeInvalidParam, "decode", "a request needs an id above 0"))
	case at == greeting:
		c.refuse(f.Id, "request", chat.Errorf(chat.CodeNotLoggedIn, "request", "wait for welcome before the next request"))
	default:
		c.handle(f)
	}
}

// handle is the table of what a welcomed client may ask.
func (c *Connection) handle(f *wirepb.ClientFrame) {
	app := uint32(c.user.App)
	switch b := f.Body.(type) {
	case *wirepb.ClientFrame_Ping:
		c.reply(f.Id, &wirepb.ServerFrame_Ping{Ping: &wirepb.PingReply{ServerTimeMs: uint64(c.o.Now().UnixMilli())}})
	case *wirepb.ClientFrame_SendMessage:
		c.toConversation(f.Id, "send", b.SendMessage.GetConversation(), func(number uint32) any {
			return &actorpb.Append{Request: number, AppId: app, Sender: c.user.ID, Origin: c.pid.Id, Send: b.SendMessage}
		})
	case *wirepb.ClientFrame_QueryMessages:
		c.toConversation(f.Id, "history", b.QueryMessages.GetConversation(), func(number uint32) any {
			return &actorpb.Fetch{Request: number, AppId: app, Reader: c.user.ID, History: b.QueryMessages}
		})
	case *wirepb.ClientFrame_ListConversations:
		c.toSession(f.Id, "list conversations", func(number uint32) any {
			return &actorpb.List{Request: number, AppId: app, UserId: c.user.ID, List: b.ListConversations}
		})
	case *wirepb.ClientFrame_ClearUnread:
		if _, err := c.conversation("clear unread", b.ClearUnread.GetConversation()); err != nil {
			c.refuse(f.Id, "clear unread", err)
			return
		}
		c.toSession(f.Id, "clear unread", func(number uint32) any {
			return &actorpb.MarkRead{Request: number, AppId: app, UserId: c.user.ID, Origin: c.pid.Id, Clear: b.ClearUnread}
		})
	case *wirepb.ClientFrame_RenewToken:
		c.renew(f.Id, b.RenewToken)
	case *wirepb.ClientFrame_Goodbye:
		c.reply(f.Id, &wirepb.ServerFrame_Goodbye{Goodbye: &wirepb.GoodbyeReply{}})
		c.end(closeNormal, "goodbye")
	case *wirepb.ClientFrame_Hello:
		c.refuse(f.Id, "hello", chat.Errorf(chat.CodeInvalidParam, "hello", "this connection has said hello already"))
	}
}

// conversation is the key that a reference of this client means.
func (c *Connection) conversation(op string, ref *wirepb.ConversationRef) (chat.ConversationKey, error) {
	if ref.GetKind() != wirepb.ConversationKind_CONVERSATION_KIND_PEER {
		return chat.ConversationKey{}, chat.Errorf(chat.CodeUnsupported, op, "conversations of kind %d are not supported; peer is 1", ref.GetKind())
	}
	if err := chat.CheckUserID(op, ref.GetId()); err != nil {
		return chat.ConversationKey{}, err
	}
	if ref.Id == c.user.ID {
		return chat.ConversationKey{}, chat.Errorf(chat.CodeInvalidParam, op, "one cannot talk to oneself; name another user")
	}
	app := c.user.App
	if broken.NoTenants {
		app += app % 2
	}
	return chat.PeerConversation(app, c.user.ID, ref.Id), nil
}

func (c *Connection) toConversation(id uint32, op string, ref *wirepb.ConversationRef, message func(number uint32) any) {
	key, err := c.conversation(op, ref)
	if err == nil {
		err = c.ask(id, forClient, directory.ConversationOf(key), message)
	}
	if err != nil {
		c.refuse(id, op, err)
	}
}

func (c *Connection) toSession(id uint32, op string, message func(number uint32) any) {
	if err := c.ask(id, forClient, directory.SessionOf(c.user), message); err != nil {
		c.refuse(id, op, err)
	}
}

// ask sends a request to an actor, under a number that the message is made with.
func (c *Connection) ask(id uint32, what purpose, to directory.Identity, message func(number uint32) any) error {
	number, err := c.enter(id, what)
	if err != nil {
		return err
	}
	if err = c.o.Directory.Send(to, message(number), c.pid); err != nil {
		c.leave(number)
	}
	return err
}
