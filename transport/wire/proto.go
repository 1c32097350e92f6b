package wire

import (
	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/proto/method"
	"github.com/parley-im/parley/proto/wirepb"
)

// Proto is the binary encoding, by code that vtprotobuf generated, since the hot
// path does without reflection. That code copies every bytes field out of its
// input but checks neither UTF-8 nor bounds; the checkers of package method do.
type Proto struct{}

// Name is SubprotocolProto.
func (Proto) Name() string { return SubprotocolProto }

// Text is false.
func (Proto) Text() bool { return false }

// Inbound gives the message as it is.
func (Proto) Inbound(message []byte) ([]byte, error) { return message, nil }

// Outbound gives the frame as it is.
func (Proto) Outbound(frame []byte) ([]byte, error) { return frame, nil }

// EncodeClient writes what a client says, if its strings are UTF-8; bounds are
// the server's to judge.
func (Proto) EncodeClient(f *wirepb.ClientFrame) ([]byte, error) {
	data, err := f.MarshalVT()
	if err != nil {
		return nil, err
	}
	if err := method.Client.Check(data); chat.CodeOf(err) == chat.CodeMalformedFrame {
		return nil, chat.Errorf(chat.CodeInvalidParam, "encode", "%w", err)
	}
	return data, nil
}

// DecodeServer reads what a node said.
func (Proto) DecodeServer(data []byte) (*wirepb.ServerFrame, error) {
	if err := method.Server.Check(data); err != nil {
		return nil, malformed(err)
	}
	f := new(wirepb.ServerFrame)
	if err := f.UnmarshalVT(data); err != nil {
		return nil, malformed(err)
	}
	return checkServer(f)
}
