package directory

import (
	"fmt"
	"runtime/debug"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/proto/actorpb"
	"github.com/parley-im/parley/proto/wirepb"
)

// mailboxLimit is how many messages may wait for one actor. Above it Send
// refuses the newest with CodeBusy: protoactor's own bounded mailboxes block
// the sender or spin.
const mailboxLimit = 4096

// mailbox bounds protoactor's unbounded one.
type mailbox struct{ actor.Mailbox }

func newMailbox() *mailbox { return &mailbox{actor.Unbounded()()} }

func (m *mailbox) full() bool { return m.UserMessageCount() >= mailboxLimit }

// watch is the middleware of all actors. A panic in a handler, a bug, becomes
// an answer of CodeInternal to the asker and a counted log line without the
// message; the supervisor then restarts the actor, empty, to rebuild its state.
// An actor that stops is forgotten.
func (d *Directory) watch(id Identity) actor.ReceiverMiddleware {
	return func(next actor.ReceiverFunc) actor.ReceiverFunc {
		return func(c actor.ReceiverContext, e *actor.MessageEnvelope) {
			defer func() {
				if r := recover(); r != nil {
					d.panicked(c.Self(), e, r)
					panic(r)
				}
			}()
			next(c, e)
			if _, ok := e.Message.(*actor.Stopped); ok {
				d.forget(id, c.Self())
			}
		}
	}
}

func (d *Directory) panicked(self *actor.PID, e *actor.MessageEnvelope, reason any) {
	d.panics.Add(1)
	d.o.Log.Error("actor panicked", "actor", self.Id, "message", fmt.Sprintf("%T", e.Message), "panic", reason, "stack", string(debug.Stack()))
	if asked, ok := e.Message.(interface{ GetRequest() uint32 }); ok && e.Sender != nil {
		err := chat.Errorf(chat.CodeInternal, "handle", "internal error")
		d.o.System.Root.Send(e.Sender, &actorpb.Refused{Request: asked.GetRequest(), Error: wirepb.FromError("handle", err)})
	}
}

// Panics counts the handlers that panicked.
func (d *Directory) Panics() uint64 { return d.panics.Load() }
