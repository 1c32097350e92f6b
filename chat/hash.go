package chat

import (
	"crypto/sha256"
	"encoding/binary"
)

// contentBuffer is room on the stack for what most messages encode as.
type contentBuffer [1024]byte

// encode appends a message's content, after the salt, in the one form that
// hashes are taken of: every field in order, strings and bytes after their
// length. The content alone begins at len(salt).
func (m *Message) encode(b []byte, salt [16]byte) []byte {
	b = append(b, salt[:]...)
	b = binary.BigEndian.AppendUint32(b, uint32(m.Type))
	b = binary.BigEndian.AppendUint32(b, m.SubType)
	b = binary.BigEndian.AppendUint32(b, m.Priority)
	b = appendSized(b, m.Body)
	b = appendSized(b, m.ExtendedData)
	b = appendSized(b, m.SearchedContent)
	b = binary.AppendUvarint(b, uint64(len(m.MentionedUserIDs)))
	for _, id := range m.MentionedUserIDs {
		b = appendSized(b, id)
	}
	if m.MentionAll {
		return append(b, 1)
	}
	return append(b, 0)
}

func appendSized[T string | []byte](b []byte, v T) []byte {
	return append(binary.AppendUvarint(b, uint64(len(v))), v...)
}

// chain gives the hash that follows prev when e is appended:
//
//	SHA-256(prev, seq, header, SHA-256(salt, content))
//
// The body enters through its own salted hash only, so that erasing a body and
// its salt keeps the chain checkable and tells nothing of what was said.
func chain(prev [32]byte, e *Entry, salted []byte) [32]byte {
	inner := sha256.Sum256(salted)

	var buf [256]byte
	b := append(buf[:0], prev[:]...)
	b = binary.BigEndian.AppendUint64(b, e.Seq)
	b = appendSized(b, e.Sender)
	b = binary.BigEndian.AppendUint64(b, uint64(e.Time))
	b = binary.BigEndian.AppendUint64(b, e.OrderKey)
	b = binary.BigEndian.AppendUint64(b, e.Counted)
	b = binary.BigEndian.AppendUint64(b, e.Own)
	b = append(b, e.ClientMessageID[:]...)
	b = binary.BigEndian.AppendUint64(b, uint64(e.IssuedAt))
	return sha256.Sum256(append(b, inner[:]...))
}

// VerifyChain recomputes the hash over entries that follow prev; it equals the
// head's Hash when they are all entries up to it, unchanged.
func VerifyChain(prev [32]byte, entries []Entry) [32]byte {
	var buf contentBuffer
	for i := range entries {
		prev = chain(prev, &entries[i], entries[i].Message.encode(buf[:0], entries[i].Salt))
	}
	return prev
}
