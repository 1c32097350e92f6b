package ask

import (
	"context"
	"sync"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/cluster/directory"
	"github.com/parley-im/parley/internal/pending"
	"github.com/parley-im/parley/proto/actorpb"
	"github.com/parley-im/parley/proto/method"
	"github.com/parley-im/parley/proto/methodpb"
)

// AnswerTime is how long a client waits for an answer at most. Whoever is asked
// answers sooner, or a node in between does; this bounds what a mistake of theirs
// costs.
const AnswerTime = 15 * time.Second

// DoorOptions are what a door works with.
type DoorOptions struct {
	System    *actor.ActorSystem
	Directory *directory.Directory
	Admission *Admission
	Meter     *Meter
	Limits    func(chat.AppID) chat.Limits
}

// Door lets requests in that come without a connection: over HTTP, or from tools
// of the node. It is a process, which gets the answers.
type Door struct {
	o   DoorOptions
	pid *actor.PID

	mu      sync.Mutex
	waiting pending.Table[chan *actorpb.Answer]
}

// NewDoor makes one and registers its process.
func NewDoor(o DoorOptions) *Door {
	d := &Door{o: o}
	d.pid, _ = o.System.ProcessRegistry.Add(d, "door")
	return d
}

// Ask asks for a user, who has been authenticated, and waits for the answer, for
// AnswerTime or until ctx ends. An answer may hold a refusal too. An error is one
// of the request's form, CodeBusy, CodeUnavailable, or CodeTimeout: the outcome is
// unknown.
func (d *Door) Ask(ctx context.Context, u chat.UserKey, m *method.Method, requestID, body []byte) (*actorpb.Answer, error) {
	if err := m.Request.Check(body); err != nil {
		return nil, err
	}
	if m.To == methodpb.To_TO_NODE {
		return nil, chat.Errorf(chat.CodeUnsupported, opOf(m), "this method is for connections only")
	}
	to, err := Target(u, m, body)
	if err != nil {
		return nil, err
	}
	if ctx.Err() != nil {
		return nil, errNoTime
	}
	acct := d.o.Admission.Open(u, d.o.Limits(u.App).Connections)
	if acct == nil {
		return nil, errCrowded
	}
	defer d.o.Admission.Close(acct, 0)
	if err := d.o.Admission.Enter(acct, m); err != nil {
		return nil, err
	}
	defer d.o.Admission.Leave(acct, 1)
	begin := time.Now()
	answer, err := d.await(ctx, to, &actorpb.Ask{
		Method: m.Number, AppId: uint32(u.App), UserId: u.ID, RequestId: requestID, Body: body,
	})
	d.o.Meter.Done(m, time.Since(begin), err != nil || answer.Error != nil)
	return answer, err
}

// await asks under a number and waits for the answer.
func (d *Door) await(ctx context.Context, to directory.Identity, m *actorpb.Ask) (*actorpb.Answer, error) {
	ctx, cancel := context.WithTimeout(ctx, AnswerTime)
	defer cancel()
	deadline, _ := ctx.Deadline()
	answered := make(chan *actorpb.Answer, 1)
	d.mu.Lock()
	m.Request = d.waiting.Add(answered)
	d.mu.Unlock()
	defer d.take(m.Request)
	m.DeadlineMs = uint32(max(time.Until(deadline).Milliseconds(), 0))
	if err := d.o.Directory.Send(to, m, d.pid); err != nil {
		return nil, err
	}
	select {
	case answer := <-answered:
		return answer, nil
	case <-ctx.Done():
		return nil, errNoAnswer
	}
}

var (
	errCrowded  = chat.Errorf(chat.CodeBusy, "request", "this user or app has as many connections and requests to this node as it may; try again later")
	errNoTime   = chat.Errorf(chat.CodeTimeout, "request", "the time for an answer was over before it was asked; nothing was done")
	errNoAnswer = chat.Errorf(chat.CodeTimeout, "request", "there was no answer in time; the outcome is unknown")
)

func (d *Door) take(number uint32) (chan *actorpb.Answer, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.waiting.Take(number)
}

// SendUserMessage implements actor.Process: an answer.
func (d *Door) SendUserMessage(_ *actor.PID, message any) {
	if m, ok := actor.UnwrapEnvelopeMessage(message).(*actorpb.Answer); ok {
		if answered, waits := d.take(m.Request); waits {
			answered <- m
		}
	}
}

// SendSystemMessage implements actor.Process; a door is not watched.
func (d *Door) SendSystemMessage(*actor.PID, any) {}

// Stop implements actor.Process.
func (d *Door) Stop(*actor.PID) {}
