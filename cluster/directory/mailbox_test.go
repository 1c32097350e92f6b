package directory

import (
	"slices"
	"sync"
	"testing"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/parley-im/parley/proto/actorpb"
)

// invoker notes what a mailbox hands on. Its fields belong to whoever runs the
// mailbox, until done.
type invoker struct {
	handle    func(message any)
	users     []any
	systems   []any
	escalated []any
	done      chan struct{} // closed with the message that is "last"
}

func (i *invoker) InvokeUserMessage(m any) {
	i.users = append(i.users, m)
	if m == "last" {
		close(i.done)
	}
	if i.handle != nil {
		i.handle(m)
	}
}

func (i *invoker) InvokeSystemMessage(m any) {
	i.systems = append(i.systems, m)
	if m == "end" {
		close(i.done)
	}
}

func (i *invoker) EscalateFailure(reason, _ any) { i.escalated = append(i.escalated, reason) }

func start(t *testing.T, i *invoker) *mailbox {
	t.Helper()
	d := newDispatcher()
	t.Cleanup(d.close)
	i.done = make(chan struct{})
	m := newMailbox()
	m.RegisterHandlers(i, d)
	return m
}

func TestAMailboxHandsOnEachMessageOnceAndInOrder(t *testing.T) {
	const posters, each = 8, 5 * mailboxRun
	i := new(invoker)
	m := start(t, i)
	var all sync.WaitGroup
	for p := range posters {
		all.Go(func() {
			for n := range each {
				m.PostUserMessage([2]int{p, n})
			}
		})
	}
	all.Wait()
	m.PostUserMessage("last")
	<-i.done
	next := make(map[int]int)
	for _, message := range i.users[:len(i.users)-1] {
		pn := message.([2]int)
		if pn[1] != next[pn[0]] {
			t.Fatalf("message %d of poster %d comes where %d should", pn[1], pn[0], next[pn[0]])
		}
		next[pn[0]]++
	}
	if len(i.users) != posters*each+1 || m.UserMessageCount() != 0 {
		t.Errorf("%d messages were handled and %d wait, want %d and none", len(i.users), m.UserMessageCount(), posters*each+1)
	}
}

func TestAMailboxIsFullOfBytesToo(t *testing.T) {
	i := new(invoker)
	m := start(t, i)
	m.PostSystemMessage(&actor.SuspendMailbox{})
	const body = 32 << 10
	for n := 0; n < mailboxBytes/body; n++ {
		if m.full() {
			t.Fatalf("it is full with %d bytes", n*body)
		}
		m.PostUserMessage(&actor.MessageEnvelope{Message: &actorpb.Ask{Body: make([]byte, body)}})
	}
	if !m.full() {
		t.Errorf("it takes more with %d bytes", mailboxBytes)
	}
	m.PostUserMessage("last")
	m.PostSystemMessage(&actor.ResumeMailbox{})
	<-i.done
	if m.full() || m.bytes.Load() != 0 {
		t.Errorf("%d bytes are counted when nothing waits", m.bytes.Load())
	}
}

func TestSystemMessagesComeFirstAndASuspendedMailboxWaits(t *testing.T) {
	i := new(invoker)
	m := start(t, i)
	i.handle = func(message any) {
		if message == "first" { // as if it were posted by another goroutine
			m.PostUserMessage("second")
			m.PostSystemMessage(&actor.SuspendMailbox{})
			m.PostSystemMessage("system")
			m.PostUserMessage("last")
			m.PostSystemMessage("end")
		}
	}
	m.PostUserMessage("first")
	<-i.done
	if !slices.Equal(i.users, []any{"first"}) || !slices.Equal(i.systems, []any{"system", "end"}) || m.UserMessageCount() != 2 {
		t.Errorf("while it was suspended %v and %v were handled, %d wait", i.users, i.systems, m.UserMessageCount())
	}
	i.done = make(chan struct{})
	m.PostSystemMessage(&actor.ResumeMailbox{})
	<-i.done
	if !slices.Equal(i.users, []any{"first", "second", "last"}) {
		t.Errorf("in the end %v were handled", i.users)
	}
}

func TestAPanicIsEscalatedAndTheRestIsHandled(t *testing.T) {
	i := new(invoker)
	i.handle = func(message any) {
		if message != "last" {
			panic(message)
		}
	}
	m := start(t, i)
	for range 3 {
		m.PostUserMessage("bad")
	}
	m.PostUserMessage("last")
	<-i.done
	if len(i.escalated) != 3 || len(i.users) != 4 {
		t.Errorf("%d panics were escalated and %d messages handled, want 3 and 4", len(i.escalated), len(i.users))
	}
}
