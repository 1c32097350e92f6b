// Package wire turns the bytes of one WebSocket message into a frame of the
// client contract (proto/wire) and back. It holds one codec per subprotocol, and
// takes a client's frame apart without decoding it; it has no socket, no limit on
// size, no judgement of a frame's content beyond its being well formed. The
// socket server, the connections and the Go client call it; nothing here blocks.
//
// A node works on frames in the binary encoding, whatever its client speaks.
// Codecs hold no state and may be used by many goroutines at once.
package wire

import (
	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/proto/wirepb"
)

// The subprotocols that a client may ask for.
const (
	SubprotocolProto = "parley.v1.proto"
	SubprotocolJSON  = "parley.v1.json"
)

// ProtocolVersion is what hello and welcome carry today.
const ProtocolVersion = 1

// Codec is one encoding of frames. The first two methods are the node's end, the
// others the client's.
type Codec interface {
	// Name is the subprotocol.
	Name() string
	// Text says whether frames travel as text messages rather than binary ones.
	Text() bool

	// Inbound gives a client's message in the binary encoding, for Split; it may
	// share the message's memory. CodeMalformedFrame: it is no frame.
	Inbound(message []byte) ([]byte, error)
	// Outbound gives a node's frame, which is in the binary encoding, as a message;
	// it may share the frame's memory.
	Outbound(frame []byte) ([]byte, error)

	// EncodeClient fails only on a frame that breaks the contract, such as a string
	// that is not UTF-8.
	EncodeClient(f *wirepb.ClientFrame) ([]byte, error)
	// DecodeServer has three outcomes: a frame with a body; CodeMalformedFrame and
	// a nil frame when the bytes are no frame; CodeUnknownFrame together with the
	// frame, whose body is nil, when the bytes are a frame of a kind that this
	// version does not know. A decoded frame shares no memory with the bytes.
	DecodeServer(data []byte) (*wirepb.ServerFrame, error)
}

// Codecs are all codecs, the one that a server prefers first.
func Codecs() []Codec { return []Codec{Proto{}, JSON{}} }

// ByName finds the codec of a subprotocol.
func ByName(subprotocol string) (Codec, bool) {
	switch subprotocol {
	case SubprotocolProto:
		return Proto{}, true
	case SubprotocolJSON:
		return JSON{}, true
	}
	return nil, false
}

const opDecode = "decode frame"

func malformed(cause error) error {
	return chat.Errorf(chat.CodeMalformedFrame, opDecode, "the bytes are no frame of this subprotocol: %w", cause)
}

// checkServer is what both codecs owe after the plain decoding.
func checkServer(f *wirepb.ServerFrame) (*wirepb.ServerFrame, error) {
	if f.Body == nil {
		return f, chat.Errorf(chat.CodeUnknownFrame, opDecode, "the frame in reply to %d has no body that protocol version %d knows", f.ReplyTo, ProtocolVersion)
	}
	return f, nil
}
