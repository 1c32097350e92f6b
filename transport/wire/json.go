package wire

import (
	"github.com/parley-im/parley/proto/method"
	"github.com/parley-im/parley/proto/wirepb"
)

// JSON is proto3 JSON, one frame per text message, for tools that a person
// types into. package method has its rules.
type JSON struct{}

var (
	clientJSON = method.JSONOf((*wirepb.ClientFrame)(nil))
	serverJSON = method.JSONOf((*wirepb.ServerFrame)(nil))
)

// Name is SubprotocolJSON.
func (JSON) Name() string { return SubprotocolJSON }

// Text is true.
func (JSON) Text() bool { return true }

// Inbound encodes a client's message.
func (JSON) Inbound(message []byte) ([]byte, error) {
	frame, err := clientJSON.Encode(message)
	if err != nil {
		return nil, malformed(err)
	}
	return frame, nil
}

// Outbound writes a node's frame as JSON.
func (JSON) Outbound(frame []byte) ([]byte, error) {
	message, err := serverJSON.Decode(frame)
	if err != nil {
		return nil, malformed(err)
	}
	return message, nil
}

// EncodeClient writes what a client says.
func (JSON) EncodeClient(f *wirepb.ClientFrame) ([]byte, error) {
	frame, err := f.MarshalVT()
	if err != nil {
		return nil, err
	}
	return clientJSON.Decode(frame)
}

// DecodeServer reads what a node said.
func (JSON) DecodeServer(data []byte) (*wirepb.ServerFrame, error) {
	frame, err := serverJSON.Encode(data)
	if err != nil {
		return nil, malformed(err)
	}
	return Proto{}.DecodeServer(frame)
}
