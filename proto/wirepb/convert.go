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

// Chat converts what a sender says. The result shares s's slices.
func (s *SendMessage) Chat() chat.Message {
	return chat.Message{
		Type: chat.MessageType(s.GetType()), SubType: s.GetSubType(), Priority: s.GetPriority(), Body: s.GetBody(),
		ExtendedData: s.GetExtendedData(), SearchedContent: s.GetSearchedContent(), MentionedUserIDs: s.GetMentionedUserIds(),
		MentionAll: s.GetMentionAll(),
	}
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
	m.setMessage(&e.Message)
	m.Kind, m.SenderId = ConversationKind(c.Kind), e.Sender
	m.TargetId, _ = c.Other(e.Sender)
	m.MessageId, m.Seq, m.OrderKey, m.TimestampMs = id, e.Seq, e.OrderKey, uint64(e.Time)
	m.ClientMessageId, m.Counted = bytes.Clone(e.ClientMessageID[:]), e.Counted // a slice of it would keep all of e
}

// Passing makes the message for one that is handed on without being stored:
// its id is the client's, it has no seq.
func Passing(c chat.ConversationKey, sender string, id chat.ClientMessageID, msg *chat.Message, nowMS int64) *Message {
	m := new(Message)
	m.setMessage(msg)
	m.Kind, m.SenderId = ConversationKind(c.Kind), sender
	m.TargetId, _ = c.Other(sender)
	m.MessageId, m.OrderKey, m.TimestampMs = hex.EncodeToString(id[:]), uint64(nowMS)*1000, uint64(nowMS)
	m.ClientMessageId = id[:]
	return m
}

func (m *Message) setMessage(c *chat.Message) {
	m.Type, m.SubType, m.Priority, m.Body, m.ExtendedData = uint32(c.Type), c.SubType, c.Priority, c.Body, c.ExtendedData
	m.SearchedContent, m.MentionedUserIds, m.MentionAll = c.SearchedContent, c.MentionedUserIDs, c.MentionAll
}
