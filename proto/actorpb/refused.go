package actorpb

import "github.com/parley-im/parley/proto/wirepb"

// Refuse answers a request with an error of an operation.
func Refuse(request uint32, op string, err error) *Refused {
	return &Refused{Request: request, Error: wirepb.FromError(op, err)}
}
