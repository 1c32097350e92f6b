// Package wirepb holds the generated types of the client contract
// (proto/wire/wire.proto) and, in this file, their conversions from and to the
// domain's types. Connections, sessions and conversations call it.
package wirepb

import (
	"bytes"
	"encoding/hex"
	"time"

	"github.com/parley-im/parley/chat"
)

// FromError makes the refusal that a client reads; a foreign error becomes
// CodeInternal without its text.
func FromError(op string, err error) *Error {
	e := chat.AsError(op, err)
	retryAfter := (e.RetryAfter + time.Millisecond - 1).Milliseconds()
	return &Error{Code: uint32(e.Code), Message: e.Op + ": " + e.Sentence(), Retryable: e.Code.Retryable(), RetryAfterMs: uint32(retryAfter)}
}

// FromUser converts a profile.
func FromUser(id string, u chat.User) *UserInfo {
	return &UserInfo{UserId: id, Name: u.Name, AvatarUrl: u.AvatarURL, ExtendedData: u.ExtendedData}
}

// FromSent converts an outcome.
func FromSent(s chat.Sent) *SendMessageReply {
	return &SendMessageReply{MessageId: s.MessageID, Seq: s.Seq, OrderKey: s.OrderKey, TimestampMs: uint64(s.Time), Duplicate: s.Duplicate}
}

// FromEntry converts a stored entry to the message that every viewer gets. The
// result shares the entry's slices.
func FromEntry(c chat.ConversationKey, e *chat.Entry) *Message {
	m := new(Message)
	m.setEntry(c, e, chat.MessageID(c, e.Seq))
	return m
}

func (m *Message) setEntry(c chat.ConversationKey, e *chat.Entry, id string) {
	m.Kind, m.SenderId = ConversationKind(c.Kind), e.Sender
	m.TargetId, _ = c.Other(e.Sender)
	m.MessageId, m.Seq, m.OrderKey, m.TimestampMs = id, e.Seq, e.OrderKey, uint64(e.Time)
	m.ClientMessageId, m.Counted = bytes.Clone(e.ClientMessageID[:]), e.Counted // a slice of it would keep all of e
	m.Entry, m.Type, m.Rev, m.Content = EntryKind(e.Kind), uint32(e.Type), e.Rev, e.Content
}

// Passing makes the message for one that is handed on without being stored:
// its id is the client's, it has no seq.
func Passing(s *chat.Send, nowMS int64) *Message {
	m := &Message{
		Kind: ConversationKind(s.Conversation.Kind), SenderId: s.Sender, MessageId: hex.EncodeToString(s.ClientMessageID[:]),
		OrderKey: uint64(nowMS) * 1000, TimestampMs: uint64(nowMS), Entry: EntryKind_ENTRY_KIND_MESSAGE, Type: uint32(s.Type),
		ClientMessageId: s.ClientMessageID[:], Content: s.Content,
	}
	m.TargetId, _ = s.Conversation.Other(s.Sender)
	return m
}
