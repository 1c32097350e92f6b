package wire

import (
	"slices"

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

// DecodeClient reads what a client said.
func (Proto) DecodeClient(data []byte) (*wirepb.ClientFrame, error) {
	broken := method.Client.Check(data)
	if chat.CodeOf(broken) == chat.CodeMalformedFrame {
		return nil, broken
	}
	f := new(wirepb.ClientFrame)
	if err := f.UnmarshalVT(data); err != nil {
		return nil, malformed(err)
	}
	if broken != nil {
		return f, broken
	}
	return checkClient(f)
}

// EncodeClient writes what a client says, if DecodeClient can read it; bounds are
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

// EncodeServer writes what a node says.
func (Proto) EncodeServer(f *wirepb.ServerFrame) ([]byte, error) { return f.MarshalVT() }

// AppendServer writes what a node says after dst; it allocates only when dst
// is too small.
func (Proto) AppendServer(dst []byte, f *wirepb.ServerFrame) ([]byte, error) {
	size := f.SizeVT()
	grown := slices.Grow(dst, size)[:len(dst)+size]
	if _, err := f.MarshalToSizedBufferVT(grown[len(dst):]); err != nil {
		return dst, err
	}
	return grown, nil
}
