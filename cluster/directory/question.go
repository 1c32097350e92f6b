package directory

import (
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/proto/actorpb"
)

// answerTime is how long a node that is connected may take to answer a request.
const answerTime = 5 * time.Second

// question is a request by its asker: a process of this node, and a number that
// the asker has given to no other request that may still be answered.
type question struct {
	process string
	request uint32
}

// questions are what a node was asked and has not answered.
type questions map[question]deadlines

type deadlines struct {
	park   time.Duration // if it comes back undone
	answer time.Duration
}

var errNumberInUse = chat.Errorf(chat.CodeInvalidParam, "send to actor", "a request of this number awaits its answer")

// settle ends a question; false when it was answered before, or never asked.
func (qs questions) settle(q question) (deadlines, bool) {
	at, ok := qs[q]
	delete(qs, q)
	return at, ok
}

// expire removes the questions whose time is up.
func (qs questions) expire(now time.Duration) (late []question) {
	for q, at := range qs {
		if at.answer <= now {
			late = append(late, q)
			delete(qs, q)
		}
	}
	return late
}

func (n *neighbour) settle(q question) (deadlines, bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.questions.settle(q)
}

// answer gives an asker of this node an error; with no lock held, as the answer
// may lead back to the directory.
func (d *Directory) answer(q question, err error) {
	d.o.System.Root.Send(actor.NewPID(d.o.System.Address(), q.process), actorpb.Refuse(q.request, "request", err))
}
