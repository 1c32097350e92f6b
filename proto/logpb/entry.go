package logpb

import "google.golang.org/protobuf/encoding/protowire"

// Numbers of Proposal's fields, as in log.proto.
const (
	fieldOrigin = 4
	fieldNumber = 5
	fieldMore   = 7
)

// AppendProposal adds an encoded proposal to an entry, which is an encoded
// proposal itself, as the last of its More.
func AppendProposal(entry, proposal []byte) []byte {
	entry = protowire.AppendTag(entry, fieldMore, protowire.BytesType)
	return protowire.AppendBytes(entry, proposal)
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
