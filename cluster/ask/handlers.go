package ask

import (
	"fmt"
	"strings"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/proto/actorpb"
	"github.com/parley-im/parley/proto/method"
)

// Handler is what an actor of type A does for one method.
type Handler[A any] struct {
	method *method.Method
	op     string
	handle func(A, *Call) error
}

// Handlers are an actor's, by the methods' numbers.
type Handlers[A any] map[uint32]Handler[A]

// request is a pointer to a request of the contract.
type request[T any] interface {
	*T
	UnmarshalVTUnsafe([]byte) error
}

// reply is a pointer to a reply of the contract.
type reply[T any] interface {
	*T
	actorpb.Reply
}

// List makes an actor's table.
func List[A any](all ...Handler[A]) Handlers[A] {
	table := make(Handlers[A], len(all))
	for _, h := range all {
		table[h.method.Number] = h
	}
	return table
}

// On gives a method, the one of the request's type, to a handler. The handler
// returns the reply, or an error, or neither: then it has kept the call and
// answers later.
func On[A, Q, R any, PQ request[Q], PR reply[R]](f func(A, *Call, PQ) (PR, error)) Handler[A] {
	name := strings.TrimPrefix(fmt.Sprintf("%T", *new(Q)), "wirepb.")
	m := method.ByPath(name)
	if m == nil {
		panic("ask: the contract has no method of the request " + name)
	}
	if got := fmt.Sprintf("%T", *new(R)); got != "wirepb."+name+"Reply" {
		panic("ask: the reply to " + name + " is no " + got)
	}
	return Handler[A]{m, opOf(m), func(a A, c *Call) error {
		q := PQ(new(Q))
		if err := q.UnmarshalVTUnsafe(c.Body); err != nil { // nobody changes Body
			return chat.Errorf(chat.CodeMalformedFrame, c.op, "the request cannot be decoded: %w", err)
		}
		r, err := f(a, c, q)
		if err == nil && r != nil {
			c.Answer(r)
		}
		return err
	}}
}

// Serve has the handler of a method answer an Ask. A method that this version
// does not have is refused: a newer node may ask for it.
func (h Handlers[A]) Serve(a A, ctx actor.Context, m *actorpb.Ask) {
	if ctx.Sender() == nil {
		return // nobody waits for an answer
	}
	c := &Call{Ask: m, Context: ctx, from: ctx.Sender(), root: ctx.ActorSystem().Root, op: "request"}
	of, ok := h[m.Method]
	if !ok {
		c.Refuse(chat.Errorf(chat.CodeUnsupported, c.op, "the node that serves this does not know the method %d", m.Method))
		return
	}
	c.op = of.op
	if err := of.handle(a, c); err != nil {
		c.Refuse(err)
	}
	c.Context = nil
}

// Numbers lists the methods that have a handler.
func (h Handlers[A]) Numbers() []uint32 {
	numbers := make([]uint32, 0, len(h))
	for n := range h {
		numbers = append(numbers, n)
	}
	return numbers
}

// opOf is a method's name in errors: "send message".
func opOf(m *method.Method) string { return strings.ReplaceAll(m.Name, "_", " ") }
