package chat

import "encoding/binary"

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

// Message is a message in plain form, as clients write and read it. Nodes carry
// all of it but the type encoded (Entry.Content), and look no further.
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
