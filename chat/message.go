package chat

import (
	"bytes"
	"encoding/binary"
	"unicode/utf8"
)

// MessageType says what a message is. The numbers are ZIMMessageType's.
type MessageType uint32

// The types that can be sent today.
const (
	TypeText    MessageType = 1
	TypeCommand MessageType = 2
	TypeCustom  MessageType = 200
)

// Stored says whether messages of this type get a seq and stand in the log;
// the others are handed to whoever is online, best effort.
func (t MessageType) Stored() bool { return t != TypeCommand }

// ClientMessageID is what makes a send idempotent: 16 bytes chosen by the
// client, the same on every retry. Our clients put the server time of the first
// attempt into the first 6, in ms, and draw the other 10, so that whoever kept
// the id can send the message again. The server looks at Send.IssuedAt alone.
type ClientMessageID [16]byte

// IssuedAt is the time that an id of our clients carries, in ms.
func (id ClientMessageID) IssuedAt() int64 {
	return int64(binary.BigEndian.Uint64(id[:8]) >> 16)
}

// SetIssuedAt puts the time of the first attempt into the id, in ms.
func (id *ClientMessageID) SetIssuedAt(ms int64) {
	random := binary.BigEndian.Uint64(id[:8]) & (1<<16 - 1)
	binary.BigEndian.PutUint64(id[:8], uint64(ms)<<16|random)
}

// Message is what a sender says: opaque to everything but the rules below.
type Message struct {
	Type             MessageType
	SubType          uint32
	Priority         uint32
	Body             []byte
	ExtendedData     string
	SearchedContent  string
	MentionedUserIDs []string
	MentionAll       bool
}

// Check gives CodeInvalidParam with a sentence when the message breaks a rule
// or a limit, CodeUnsupported for a type that cannot be sent.
func (m *Message) Check(op string, l Limits) error {
	if err := m.checkBody(op, l); err != nil {
		return err
	}
	switch {
	case m.SubType > MaxSubType || m.SubType != 0 && m.Type != TypeCustom:
		return Errorf(CodeInvalidParam, op, "the sub-type is %d; 0 to %d are allowed, for custom messages only", m.SubType, MaxSubType)
	case m.Priority > MaxPriority:
		return Errorf(CodeInvalidParam, op, "the priority is %d; 1 to %d are allowed", m.Priority, MaxPriority)
	case len(m.ExtendedData) > l.ExtendedDataBytes:
		return tooLong(op, "extended data", len(m.ExtendedData), l.ExtendedDataBytes)
	case len(m.SearchedContent) > l.SearchedBytes:
		return tooLong(op, "searched content", len(m.SearchedContent), l.SearchedBytes)
	case len(m.MentionedUserIDs) > MaxMentions:
		return Errorf(CodeInvalidParam, op, "%d users are mentioned; at most %d are allowed", len(m.MentionedUserIDs), MaxMentions)
	}
	if !utf8.ValidString(m.ExtendedData) || !utf8.ValidString(m.SearchedContent) {
		return Errorf(CodeInvalidParam, op, "the extended data and the searched content must be UTF-8")
	}
	for _, id := range m.MentionedUserIDs {
		if err := CheckUserID(op, id); err != nil {
			return err
		}
	}
	return nil
}

func (m *Message) checkBody(op string, l Limits) error {
	limit := 0
	switch m.Type {
	case TypeText:
		limit = l.TextBytes
	case TypeCustom:
		limit = l.CustomBytes
	case TypeCommand:
		limit = l.CommandBytes
	default:
		return Errorf(CodeUnsupported, op, "messages of type %d are not supported; text is 1, command 2, custom 200", m.Type)
	}
	if len(m.Body) > limit {
		return tooLong(op, "message", len(m.Body), limit)
	}
	if m.Type == TypeCommand {
		if len(m.Body) == 0 {
			return Errorf(CodeInvalidParam, op, "the message is empty")
		}
		return nil
	}
	if !utf8.Valid(m.Body) {
		return Errorf(CodeInvalidParam, op, "the message is not valid UTF-8")
	}
	if len(bytes.TrimSpace(m.Body)) == 0 {
		return Errorf(CodeInvalidParam, op, "the message is blank")
	}
	return nil
}

func tooLong(op, what string, have, limit int) error {
	return Errorf(CodeInvalidParam, op, "the %s has %d bytes; at most %d are allowed", what, have, limit)
}
