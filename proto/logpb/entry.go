package logpb

import (
	"sync"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/parley-im/parley/chat"
)

// Numbers of Proposal's fields, as in log.proto.
const (
	fieldOrigin = 4
	fieldNumber = 5
	fieldMore   = 7
)

// encoder is the memory that EncodeProposal needs while it runs.
type encoder struct {
	proposal Proposal
	sends    []encodedSend
}

type encodedSend struct {
	command Command
	body    Command_Send
	send    Send
}

var emptySend chat.Send

var encoders = sync.Pool{New: func() any { return new(encoder) }}

// EncodeProposal encodes commands, to be applied at timeMs by a version, as a
// proposal. It panics as FromCommand does.
func EncodeProposal(version uint32, timeMs int64, origin, number uint64, commands []chat.CommandBody) ([]byte, error) {
	e := encoders.Get().(*encoder)
	p := &e.proposal
	p.Version, p.TimeMs, p.Origin, p.Number = version, timeMs, origin, number
	if len(e.sends) < len(commands) {
		e.sends = make([]encodedSend, len(commands))
	}
	for i, c := range commands {
		b, ok := c.(*chat.Send)
		if !ok {
			p.Commands = append(p.Commands, FromCommand(c))
			continue
		}
		s := &e.sends[i]
		s.send.set(b)
		s.body.Send, s.command.Body = &s.send, &s.body
		p.Commands = append(p.Commands, &s.command)
	}
	data, err := p.MarshalVT()
	clear(p.Commands)
	p.Commands = p.Commands[:0]
	for i := range commands { // keep no caller's memory
		e.sends[i].send.set(&emptySend)
	}
	encoders.Put(e)
	return data, err
}

// AppendProposal adds an encoded proposal to an entry, which is an encoded
// proposal itself, as the last of its More.
func AppendProposal(entry, proposal []byte) []byte {
	entry = protowire.AppendTag(entry, fieldMore, protowire.BytesType)
	return protowire.AppendBytes(entry, proposal)
}

// SizeAppended is by how many bytes AppendProposal makes an entry longer.
func SizeAppended(proposal []byte) int {
	return protowire.SizeTag(fieldMore) + protowire.SizeBytes(len(proposal))
}

// Ident reads an encoded proposal's origin and number and nothing else of it;
// zeros where it has none.
func Ident(proposal []byte) (origin, number uint64, err error) {
	for b := proposal; len(b) > 0; {
		field, kind, n := protowire.ConsumeTag(b)
		if n < 0 {
			return 0, 0, protowire.ParseError(n)
		}
		b = b[n:]
		switch {
		case field == fieldOrigin && kind == protowire.Fixed64Type:
			origin, n = protowire.ConsumeFixed64(b)
		case field == fieldNumber && kind == protowire.VarintType:
			number, n = protowire.ConsumeVarint(b)
		default:
			n = protowire.ConsumeFieldValue(field, kind, b)
		}
		if n < 0 {
			return 0, 0, protowire.ParseError(n)
		}
		b = b[n:]
	}
	return origin, number, nil
}
