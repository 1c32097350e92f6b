package actorpb

import (
	"slices"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/parley-im/parley/proto/wirepb"
)

// Reply is the reply to a method of the contract.
type Reply interface {
	Message
	SizeVT() int
	MarshalToSizedBufferVT([]byte) (int, error)
}

// Answer is the answer to whatever has a request number: an error, or the reply
// to an Ask, which an actor of this node gives as it is and another node encoded,
// in Body.
type Answer struct {
	Request uint32
	Body    []byte
	Reply   Reply
	Error   *wirepb.Error
}

// NewAnswer answers a request.
func NewAnswer(request uint32, reply Reply) *Answer {
	return &Answer{Request: request, Reply: reply}
}

// Refuse answers a request with an error of an operation.
func Refuse(request uint32, op string, err error) *Answer {
	return &Answer{Request: request, Error: wirepb.FromError(op, err)}
}

// GetRequest is the number by which the asker knows it.
func (a *Answer) GetRequest() uint32 { return a.Request }

// Encoded is the reply's bytes.
func (a *Answer) Encoded() ([]byte, error) {
	if a.Reply == nil {
		return a.Body, nil
	}
	return a.Reply.MarshalVT()
}

// MarshalVT encodes it for another node.
func (a *Answer) MarshalVT() ([]byte, error) {
	body, err := a.Encoded()
	if err != nil {
		return nil, err
	}
	return (&EncodedAnswer{Request: a.Request, Body: body, Error: a.Error}).MarshalVT()
}

// UnmarshalVT reads one of another node.
func (a *Answer) UnmarshalVT(data []byte) error {
	var e EncodedAnswer
	err := e.UnmarshalVT(data)
	*a = Answer{Request: e.Request, Body: e.Body, Error: e.Error}
	return err
}

// AppendReply appends the reply's bytes to dst, after their length.
func (a *Answer) AppendReply(dst []byte) ([]byte, error) {
	if a.Reply == nil {
		return protowire.AppendBytes(dst, a.Body), nil
	}
	size := a.Reply.SizeVT()
	dst = slices.Grow(protowire.AppendVarint(dst, uint64(size)), size)
	end := len(dst) + size
	if _, err := a.Reply.MarshalToSizedBufferVT(dst[len(dst):end]); err != nil {
		return dst, err
	}
	return dst[:end], nil
}
