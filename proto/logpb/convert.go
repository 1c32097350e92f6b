// Package logpb holds the generated types of what is stored and replicated
// (proto/log/log.proto) and, in this file, their conversions from and to the
// domain's types. It is the only place where the two meet for the log; the
// storage engines and the replication host call it.
package logpb

import (
	"fmt"
	"time"

	"github.com/parley-im/parley/chat"
)

// FromCommand converts a command's body. It panics on a body that has no form
// in the log: that is a bug of this binary.
func FromCommand(body chat.CommandBody) *Command {
	switch b := body.(type) {
	case chat.Login:
		return &Command{Body: &Command_Login{&Login{
			AppId: uint32(b.User.App), UserId: b.User.ID, Name: b.Name, AvatarUrl: b.AvatarURL, DeviceId: b.DeviceID,
			Devices: uint32(b.Devices), Online: b.Online}}}
	case *chat.Send: // large, and on the hot path
		s := new(Send)
		s.set(b)
		return &Command{Body: &Command_Send{s}}
	case chat.UpdateUser:
		return &Command{Body: &Command_UpdateUser{&UpdateUser{
			AppId: uint32(b.User.App), UserId: b.User.ID, Name: b.Name, AvatarUrl: b.AvatarURL, ExtendedData: b.ExtendedData}}}
	case chat.Recall:
		return &Command{Body: &Command_Recall{&Recall{
			Conversation: FromKey(b.Conversation), Sender: b.Sender, Seq: b.Seq, WindowMs: b.Window.Milliseconds()}}}
	case chat.UpdateConversation:
		return &Command{Body: &Command_UpdateConversation{&UpdateConversation{
			AppId: uint32(b.User.App), UserId: b.User.ID, Conversation: FromKey(b.Conversation), Pinned: b.Pinned, Muted: b.Muted, Draft: b.Draft}}}
	case chat.MarkRead:
		return &Command{Body: &Command_MarkRead{&MarkRead{
			AppId: uint32(b.User.App), UserId: b.User.ID, Conversation: FromKey(b.Conversation), Mark: fromMark(b.Mark)}}}
	case chat.Deliver:
		d := &Deliver{SourceShard: uint32(b.Source.Shard), RestoreEpoch: b.Source.Epoch, First: b.First}
		for _, e := range b.Effects {
			d.Effects = append(d.Effects, FromEffect(e))
		}
		return &Command{Body: &Command_Deliver{d}}
	case chat.Delivered:
		return &Command{Body: &Command_Delivered{&Delivered{DestinationShard: uint32(b.Destination), Through: b.Through}}}
	}
	panic(fmt.Sprintf("logpb: command %T has no form in the log", body))
}

func (s *Send) set(b *chat.Send) {
	if s.Conversation == nil {
		s.Conversation = new(ConversationKey)
	}
	s.Conversation.set(b.Conversation)
	s.Sender, s.ClientMessageId, s.IssuedAtMs, s.Salt = b.Sender, b.ClientMessageID[:], b.IssuedAt, b.Salt[:]
	s.Type, s.Content = uint32(b.Type), b.Content
	s.DedupeAgeMs, s.DedupeMessages = b.Window.Age.Milliseconds(), b.Window.Messages
}

// Chat converts back. An error means that the log holds what this binary does
// not understand: the replica must not go on.
func (c *Command) Chat() (chat.CommandBody, error) {
	switch b := c.GetBody().(type) {
	case *Command_Login:
		l := b.Login
		return chat.Login{User: user(l.AppId, l.UserId), Name: l.Name, AvatarURL: l.AvatarUrl, DeviceID: l.DeviceId,
			Devices: int(l.Devices), Online: l.Online}, nil
	case *Command_Send:
		return b.Send.chat()
	case *Command_UpdateUser:
		u := b.UpdateUser
		return chat.UpdateUser{User: user(u.AppId, u.UserId), Name: u.Name, AvatarURL: u.AvatarUrl, ExtendedData: u.ExtendedData}, nil
	case *Command_Recall:
		r := b.Recall
		return chat.Recall{Conversation: r.Conversation.Chat(), Sender: r.Sender, Seq: r.Seq, Window: time.Duration(r.WindowMs) * time.Millisecond}, nil
	case *Command_UpdateConversation:
		u := b.UpdateConversation
		return chat.UpdateConversation{
			User: user(u.AppId, u.UserId), Conversation: u.Conversation.Chat(), Pinned: u.Pinned, Muted: u.Muted, Draft: u.Draft}, nil
	case *Command_MarkRead:
		m := b.MarkRead
		return chat.MarkRead{User: user(m.AppId, m.UserId), Conversation: m.Conversation.Chat(), Mark: m.Mark.chat()}, nil
	case *Command_Deliver:
		d := chat.Deliver{Source: chat.EffectSource{Shard: uint16(b.Deliver.SourceShard), Epoch: b.Deliver.RestoreEpoch}, First: b.Deliver.First}
		for _, e := range b.Deliver.Effects {
			effect, err := e.Chat()
			if err != nil {
				return nil, err
			}
			d.Effects = append(d.Effects, effect)
		}
		return d, nil
	case *Command_Delivered:
		return chat.Delivered{Destination: uint16(b.Delivered.DestinationShard), Through: b.Delivered.Through}, nil
	}
	return nil, fmt.Errorf("logpb: unknown command in the log")
}

func (s *Send) chat() (chat.CommandBody, error) {
	if len(s.ClientMessageId) != 16 || len(s.Salt) != 16 {
		return nil, fmt.Errorf("logpb: a send's ids have %d and %d bytes, want 16", len(s.ClientMessageId), len(s.Salt))
	}
	return &chat.Send{
		Conversation: s.Conversation.Chat(), Sender: s.Sender, ClientMessageID: chat.ClientMessageID(s.ClientMessageId), IssuedAt: s.IssuedAtMs,
		Type: chat.MessageType(s.Type), Content: s.Content, Salt: [16]byte(s.Salt),
		Window: chat.DedupeWindow{Age: time.Duration(s.DedupeAgeMs) * time.Millisecond, Messages: s.DedupeMessages},
	}, nil
}

// FromKey converts a conversation's key.
func FromKey(k chat.ConversationKey) *ConversationKey {
	r := new(ConversationKey)
	r.set(k)
	return r
}

func (k *ConversationKey) set(c chat.ConversationKey) {
	k.AppId, k.Kind, k.Id = uint32(c.App), uint32(c.Kind), append(k.Id[:0], c.ID...)
}

// Chat converts back; nil gives the zero key.
func (k *ConversationKey) Chat() chat.ConversationKey {
	return chat.ConversationKey{App: chat.AppID(k.GetAppId()), Kind: chat.Kind(k.GetKind()), ID: string(k.GetId())}
}

// FromEffect converts an outbox row. It panics on a body that has no form in the
// log: that is a bug of this binary.
func FromEffect(e chat.Effect) *Effect {
	row := &Effect{AppId: uint32(e.To.User.App), UserId: e.To.User.ID}
	if e.To.User == (chat.UserKey{}) {
		row.Conversation = FromKey(e.To.Conversation)
	}
	switch b := e.Body.(type) {
	case chat.ConversationOpened:
		row.Body = &Effect_ConversationOpened{&ConversationOpened{Conversation: FromKey(b.Conversation)}}
	default:
		panic(fmt.Sprintf("logpb: effect %T has no form in the log", e.Body))
	}
	return row
}

// Chat converts back.
func (e *Effect) Chat() (chat.Effect, error) {
	out := chat.Effect{To: chat.Addressee{User: user(e.GetAppId(), e.GetUserId()), Conversation: e.GetConversation().Chat()}}
	switch b := e.GetBody().(type) {
	case *Effect_ConversationOpened:
		out.Body = chat.ConversationOpened{Conversation: b.ConversationOpened.GetConversation().Chat()}
	default:
		return chat.Effect{}, fmt.Errorf("logpb: unknown effect in the outbox")
	}
	return out, nil
}

func user(app uint32, id string) chat.UserKey { return chat.UserKey{App: chat.AppID(app), ID: id} }

func fromMark(m chat.Mark) *Mark { return &Mark{Seq: m.Seq, Counted: m.Counted, Own: m.Own} }

func (m *Mark) chat() chat.Mark {
	return chat.Mark{Seq: m.GetSeq(), Counted: m.GetCounted(), Own: m.GetOwn()}
}
