// Package ask is how methods of the client contract reach their handlers: it
// finds the actor that a request is for, and gives that actor's handlers what was
// asked in the request's own type. Doors (a socket, HTTP) and actors call it;
// directory carries what they say. Of what it has, only Door.Ask blocks.
//
// An actor lists its handlers in one table:
//
//	var handlers = ask.List(
//		ask.On((*conversation).send),
//	)
package ask

import (
	"fmt"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/proto/actorpb"
)

// Call is a request as its handler has it: who asks for what, and where the
// answer goes. A handler that answers later keeps it; it may do so on any
// goroutine.
type Call struct {
	*actorpb.Ask
	// Context is the actor's; only until the handler returns.
	Context actor.Context

	from *actor.PID
	root *actor.RootContext
	op   string
}

// User is who asks.
func (c *Call) User() chat.UserKey { return chat.UserKey{App: chat.AppID(c.AppId), ID: c.UserId} }

// Op is the method's name in errors.
func (c *Call) Op() string { return c.op }

// From is the process that gets the answer.
func (c *Call) From() *actor.PID { return c.from }

// Source tells whose reads take turns: a connection's own, or the user's where
// there is none.
func (c *Call) Source() string {
	if c.Origin != "" {
		return c.Origin
	}
	return fmt.Sprintf("u/%d/%s", c.AppId, c.UserId)
}

// Answer ends the call with a reply, which must not be changed any more.
func (c *Call) Answer(reply actorpb.Reply) {
	c.root.Send(c.from, actorpb.NewAnswer(c.Request, reply))
}

// Refuse ends the call with an error.
func (c *Call) Refuse(err error) {
	c.root.Send(c.from, actorpb.Refuse(c.Request, c.op, err))
}
