package wirepb

// ServerBody is the body of any ServerFrame.
type ServerBody = isServerFrame_Body

// NewServerFrame makes a reply, or a push when replyTo is 0.
func NewServerFrame(replyTo uint32, body ServerBody) *ServerFrame {
	return &ServerFrame{ReplyTo: replyTo, Body: body}
}

// MessagePush encodes the push of a message: the same bytes for everybody.
func MessagePush(m *Message) []byte {
	frame, err := (&ServerFrame{Body: &ServerFrame_Message{Message: m}}).MarshalVT()
	if err != nil {
		panic("wirepb: a message of our own does not encode: " + err.Error())
	}
	return frame
}
