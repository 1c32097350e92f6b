package wirepb

// ServerBody is the body of any ServerFrame.
type ServerBody = isServerFrame_Body

// NewServerFrame makes a reply, or a push when replyTo is 0.
func NewServerFrame(replyTo uint32, body ServerBody) *ServerFrame {
	return &ServerFrame{ReplyTo: replyTo, Body: body}
}
