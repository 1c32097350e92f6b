package directory

import (
	"fmt"
	"runtime/debug"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/proto/actorpb"
)

// watch is the middleware of all actors. A panic in a handler, a bug, becomes
// an answer of CodeInternal to the asker and a counted log line without the
// message. The actor then stops: a restarted one would have the same PID without
// the state, and take the answers to what it asked before for answers to what it
// has asked since. The next message makes another activation.
func (d *Directory) watch(id Identity, a *activation) actor.ReceiverMiddleware {
	return func(next actor.ReceiverFunc) actor.ReceiverFunc {
		return func(c actor.ReceiverContext, e *actor.MessageEnvelope) {
			d.guard(c, e, next)
			if _, ok := e.Message.(*actor.Stopped); ok {
				d.forget(id, a)
			}
		}
	}
}

// guard calls a handler.
func (d *Directory) guard(c actor.ReceiverContext, e *actor.MessageEnvelope, next actor.ReceiverFunc) {
	defer func() {
		r := recover()
		if r == nil {
			return
		}
		d.panics.Add(1)
		d.o.Log.Error("actor panicked", "actor", c.Self().Id, "message", fmt.Sprintf("%T", e.Message), "panic", r, "stack", string(debug.Stack()))
		d.o.System.Root.Stop(c.Self()) // before any other message
		if request := actorpb.RequestOf(e.Message); request != 0 && e.Sender != nil {
			d.o.System.Root.Send(e.Sender, actorpb.Refuse(request, "request", errPanicked))
		}
	}()
	next(c, e)
}

var errPanicked = chat.Errorf(chat.CodeInternal, "handle", "internal error")

// Panics counts the handlers that panicked.
func (d *Directory) Panics() uint64 { return d.panics.Load() }
