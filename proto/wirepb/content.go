package wirepb

import (
	"bytes"
	"unicode/utf8"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/internal/protoscan"
)

// EncodeContent encodes what a message says but its type; once for all attempts
// to send it, as nodes tell a retry by its bytes.
func EncodeContent(m *chat.Message) []byte {
	c := Content{
		SubType: m.SubType, Priority: m.Priority, Body: m.Body, ExtendedData: m.ExtendedData, SearchedContent: m.SearchedContent,
		MentionedUserIds: m.MentionedUserIDs, MentionAll: m.MentionAll,
	}
	b, err := c.MarshalVT()
	if err != nil {
		panic("wirepb: a content does not encode: " + err.Error())
	}
	return b
}

// DecodeContent gives the plain form of a message.
func DecodeContent(typ chat.MessageType, content []byte) (chat.Message, error) {
	var c Content
	if err := c.UnmarshalVT(content); err != nil {
		return chat.Message{}, chat.Errorf(chat.CodeMalformedFrame, "decode", "the content of a message cannot be decoded: %w", err)
	}
	return chat.Message{
		Type: typ, SubType: c.SubType, Priority: c.Priority, Body: c.Body, ExtendedData: c.ExtendedData, SearchedContent: c.SearchedContent,
		MentionedUserIDs: c.MentionedUserIds, MentionAll: c.MentionAll,
	}, nil
}

// The fields of Content that the rules below are about.
const (
	fieldSubType         = 1
	fieldPriority        = 2
	fieldBody            = 3
	fieldExtendedData    = 4
	fieldSearchedContent = 5
)

// shape is what the rules need to know of a content. The lengths are those of all
// occurrences of the field, so that nothing grows by being said twice.
type shape struct {
	subType, priority        uint64
	body                     []byte
	said, extended, searched int
}

// CheckContent holds an encoded content to the rules of its type and the app's
// limits, without decoding it. The door has checked it by its declaration.
// CodeInvalidParam with a sentence, CodeUnsupported for a type that cannot be
// sent.
func CheckContent(op string, typ chat.MessageType, content []byte, l chat.Limits) error {
	var s shape
	v := protoscan.Over(content)
	for v.Next() {
		switch v.Num {
		case fieldSubType:
			s.subType = max(s.subType, v.Number)
		case fieldPriority:
			s.priority = max(s.priority, v.Number)
		case fieldBody:
			s.body = v.Bytes
			s.said += len(v.Bytes)
		case fieldExtendedData:
			s.extended += len(v.Bytes)
		case fieldSearchedContent:
			s.searched += len(v.Bytes)
		}
	}
	if v.Broken() {
		return chat.Errorf(chat.CodeInvalidParam, op, "the content cannot be decoded")
	}
	if err := s.checkBody(op, typ, l); err != nil {
		return err
	}
	switch {
	case s.subType > chat.MaxSubType || s.subType != 0 && typ != chat.TypeCustom:
		return chat.Errorf(chat.CodeInvalidParam, op, "the sub-type is %d; 0 to %d are allowed, for custom messages only", s.subType, chat.MaxSubType)
	case s.priority > chat.MaxPriority:
		return chat.Errorf(chat.CodeInvalidParam, op, "the priority is %d; 1 to %d are allowed", s.priority, chat.MaxPriority)
	case s.extended > l.ExtendedDataBytes:
		return tooLong(op, "extended data", s.extended, l.ExtendedDataBytes)
	case s.searched > l.SearchedBytes:
		return tooLong(op, "searched content", s.searched, l.SearchedBytes)
	}
	return nil
}

func (s *shape) checkBody(op string, typ chat.MessageType, l chat.Limits) error {
	limit := 0
	switch typ {
	case chat.TypeText:
		limit = l.TextBytes
	case chat.TypeCustom:
		limit = l.CustomBytes
	case chat.TypeCommand:
		limit = l.CommandBytes
	default:
		return chat.Errorf(chat.CodeUnsupported, op, "messages of type %d are not supported; text is 1, command 2, custom 200", typ)
	}
	switch {
	case s.said > limit:
		return tooLong(op, "message", s.said, limit)
	case typ == chat.TypeCommand && len(s.body) == 0:
		return chat.Errorf(chat.CodeInvalidParam, op, "the message is empty")
	case typ == chat.TypeCommand:
		return nil
	case !utf8.Valid(s.body):
		return chat.Errorf(chat.CodeInvalidParam, op, "the message is not valid UTF-8")
	case len(bytes.TrimSpace(s.body)) == 0:
		return chat.Errorf(chat.CodeInvalidParam, op, "the message is blank")
	}
	return nil
}

func tooLong(op, what string, have, limit int) error {
	return chat.Errorf(chat.CodeInvalidParam, op, "the %s has %d bytes; at most %d are allowed", what, have, limit)
}
