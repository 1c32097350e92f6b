// Package wire turns the bytes of one WebSocket message into a frame of the
// client contract (proto/wire) and back. It holds one codec per
// subprotocol and nothing else: no socket, no limit on size, no judgement of a
// frame's content beyond its being well formed. The socket server, the
// connections and the Go client call it; nothing here blocks.
//
// Ownership: a decoded frame shares no memory with the bytes it came from, so
// a transport may reuse its read buffer at once. An encoded frame belongs to
// the caller. Codecs hold no state and may be used by many goroutines at once.
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

// Codec reads and writes frames in one encoding.
//
// A Decode method has four outcomes: a frame with a body; CodeMalformedFrame
// and a nil frame when the bytes are no frame (bad UTF-8 in a string included);
// CodeUnknownFrame together with the frame, whose body is nil, when the bytes
// are a frame of a kind that this version does not know: its id still tells
// what to answer; CodeInvalidParam together with the client's frame when a field
// breaks a bound of the contract. Whether id may be 0 is for the caller to judge.
//
// An Encode or Append method fails only on a frame that breaks the contract,
// such as a string that is not UTF-8 under JSON.
type Codec interface {
	// Name is the subprotocol.
	Name() string
	// Text says whether frames travel as text messages rather than binary ones.
	Text() bool

	DecodeClient(data []byte) (*wirepb.ClientFrame, error)
	EncodeClient(f *wirepb.ClientFrame) ([]byte, error)

	DecodeServer(data []byte) (*wirepb.ServerFrame, error)
	EncodeServer(f *wirepb.ServerFrame) ([]byte, error)
	// AppendServer appends the encoded frame to dst, which may be a pooled
	// buffer, and returns the extended slice; dst unchanged on an error.
	AppendServer(dst []byte, f *wirepb.ServerFrame) ([]byte, error)
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

// checkClient is what both codecs owe after the plain decoding.
func checkClient(f *wirepb.ClientFrame) (*wirepb.ClientFrame, error) {
	if f.Body == nil {
		return f, chat.Errorf(chat.CodeUnknownFrame, opDecode, "frame %d has no body that protocol version %d knows", f.Id, ProtocolVersion)
	}
	return f, nil
}

// checkServer is checkClient for the other direction.
func checkServer(f *wirepb.ServerFrame) (*wirepb.ServerFrame, error) {
	if f.Body == nil {
		return f, chat.Errorf(chat.CodeUnknownFrame, opDecode, "the frame in reply to %d has no body that protocol version %d knows", f.ReplyTo, ProtocolVersion)
	}
	return f, nil
}
