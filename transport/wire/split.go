package wire

import (
	"math"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/internal/protoscan"
	"github.com/parley-im/parley/proto/method"
)

// Request is a client's frame, not decoded. Its slices share the frame's memory.
type Request struct {
	ID        uint32
	RequestID []byte
	Method    uint32 // 0: the frame has no body
	Body      []byte
}

// maxRequestID is the bound of ClientFrame.request_id.
const maxRequestID = 16

// Split takes a client's frame in the binary encoding apart. An error is
// CodeMalformedFrame; what the body holds is checked by its method.
func Split(frame []byte) (r Request, err error) {
	f := protoscan.Over(frame)
	for f.Next() {
		switch bytes := f.Type == protowire.BytesType; {
		case f.Num >= method.First && bytes:
			if r.Method != 0 {
				return r, errSplit // two bodies
			}
			r.Method, r.Body = uint32(f.Num), f.Bytes
		case f.Num == 1 && f.Type == protowire.VarintType && f.Number <= math.MaxUint32:
			r.ID = uint32(f.Number)
		case f.Num == 2 && bytes && len(f.Bytes) <= maxRequestID:
			r.RequestID = f.Bytes
		case f.Num <= 2:
			return r, errSplit
		}
	}
	if f.Broken() {
		return r, errSplit
	}
	return r, nil
}

var errSplit = chat.Errorf(chat.CodeMalformedFrame, opDecode, "the bytes are no frame of this subprotocol")

// replier writes a reply after its length.
type replier interface {
	AppendReply(dst []byte) ([]byte, error)
}

// AppendReply appends a node's frame, in the binary encoding, that holds the
// reply to a method.
func AppendReply(dst []byte, replyTo, number uint32, r replier) ([]byte, error) {
	dst = protowire.AppendTag(dst, 1, protowire.VarintType)
	dst = protowire.AppendVarint(dst, uint64(replyTo))
	dst = protowire.AppendTag(dst, protowire.Number(number), protowire.BytesType)
	return r.AppendReply(dst)
}
