package wirepb

import (
	"slices"
	"sync"

	"github.com/parley-im/parley/chat"
)

// ServerBody is the body of any ServerFrame.
type ServerBody = isServerFrame_Body

// NewServerFrame makes a reply, or a push when replyTo is 0.
func NewServerFrame(replyTo uint32, body ServerBody) *ServerFrame {
	return &ServerFrame{ReplyTo: replyTo, Body: body}
}

// AppendVT appends the encoded frame to dst; it allocates only when dst is too
// small.
func (f *ServerFrame) AppendVT(dst []byte) ([]byte, error) {
	size := f.SizeVT()
	grown := slices.Grow(dst, size)[:len(dst)+size]
	if _, err := f.MarshalToSizedBufferVT(grown[len(dst):]); err != nil {
		return dst, err
	}
	return grown, nil
}

// MessagePush encodes the push of a message: the same bytes for everybody.
func MessagePush(m *Message) []byte {
	return encode(&ServerFrame{Body: &ServerFrame_Message{Message: m}})
}

// ChangePush encodes the push of an entry that was changed.
func ChangePush(c chat.ConversationKey, e *chat.Entry) []byte {
	return encode(&ServerFrame{Body: &ServerFrame_MessageChanged{MessageChanged: FromEntry(c, e)}})
}

// push is the memory that EntryPush needs while it runs.
type push struct {
	frame   ServerFrame
	body    ServerFrame_Message
	message Message
}

var pushes = sync.Pool{New: func() any {
	p := new(push)
	p.frame.Body, p.body.Message = &p.body, &p.message
	return p
}}

// EntryPush is MessagePush of a conversation's entry whose message ID is id.
func EntryPush(c chat.ConversationKey, e *chat.Entry, id string) []byte {
	p := pushes.Get().(*push)
	p.message.setEntry(c, e, id)
	frame := encode(&p.frame)
	p.message.Reset() // keep no caller's memory
	pushes.Put(p)
	return frame
}

func encode(f *ServerFrame) []byte {
	frame, err := f.MarshalVT()
	if err != nil {
		panic("wirepb: a message of our own does not encode: " + err.Error())
	}
	return frame
}
