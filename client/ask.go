package client

import (
	"context"
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/proto/method"
	"github.com/parley-im/parley/proto/wirepb"
)

// Ask makes a request of the contract (docs/methods.md), as
//
//	reply, err := client.Ask[*wirepb.QueryUsersReply](ctx, c, &wirepb.QueryUsers{UserIds: ids})
//
// A read or a write is made again over further connections until ctx ends, under
// one request id. R must be the request's reply. Errors are as for Send.
func Ask[R proto.Message](ctx context.Context, c *Client, request proto.Message) (reply R, err error) {
	name := request.ProtoReflect().Descriptor().Name()
	m := method.ByPath(string(name))
	if m == nil {
		return reply, chat.Errorf(chat.CodeUnsupported, "ask", "the contract has no method %s", name)
	}
	frame := &wirepb.ClientFrame{}
	number := protoreflect.FieldNumber(m.Number)
	f := frame.ProtoReflect()
	f.Set(f.Descriptor().Fields().ByNumber(number), protoreflect.ValueOfMessage(request.ProtoReflect()))
	op := strings.ReplaceAll(m.Name, "_", " ")
	answer, err := c.do(ctx, op, frame)
	if err != nil {
		return reply, err
	}
	a := answer.ProtoReflect()
	field := a.Descriptor().Fields().ByNumber(number)
	reply, ok := a.Get(field).Message().Interface().(R)
	if !ok || !a.Has(field) {
		return reply, chat.Errorf(chat.CodeInternal, op, "the node has answered something else than was asked")
	}
	return reply, nil
}
