package directory

import (
	"slices"
	"sync"
	"sync/atomic"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/parley-im/parley/proto/actorpb"
)

// Bounds of what may wait for one actor: messages, and bytes of what clients ask.
// Above them Send refuses the newest with CodeBusy: protoactor's own bounded
// mailboxes block the sender or spin.
const (
	mailboxLimit = 4096
	mailboxBytes = 8 << 20
)

// mailbox is an actor's queue, and runs the actor on a dispatcher while it holds
// anything. Messages of protoactor's own (system messages) come before those of
// users, and a suspended mailbox runs nothing else.
//
// Invariants: one goroutine at a time runs it, while running is set; waiting
// counts user and the part of batch from next on, and bytes what these hold; urgent
// says that system is not empty.
type mailbox struct {
	invoker    actor.MessageInvoker
	dispatcher actor.Dispatcher
	process    func() // run as one value: each method value would be a new one

	waiting atomic.Int32
	bytes   atomic.Int64 // of what waits
	urgent  atomic.Bool

	mu      sync.Mutex
	user    []any
	system  []any
	running bool

	// Of the goroutine that runs it.
	batch     []any
	next      int
	suspended bool
}

// keptBatch is up to how many messages the memory of an empty queue is kept for.
const keptBatch = 32

func newMailbox() *mailbox { return new(mailbox) }

func (m *mailbox) full() bool {
	return m.UserMessageCount() >= mailboxLimit || m.bytes.Load() >= mailboxBytes
}

// weight is how many bytes of a client's request a message holds.
func weight(message any) int64 {
	if e, ok := message.(*actor.MessageEnvelope); ok {
		message = e.Message
	}
	if ask, ok := message.(*actorpb.Ask); ok {
		return int64(len(ask.Body))
	}
	return 0
}

// RegisterHandlers implements actor.Mailbox.
func (m *mailbox) RegisterHandlers(invoker actor.MessageInvoker, dispatcher actor.Dispatcher) {
	m.invoker, m.dispatcher, m.process = invoker, dispatcher, m.run
}

// Start implements actor.Mailbox.
func (m *mailbox) Start() {}

// UserMessageCount implements actor.Mailbox. It leaves out the message that is
// being handled.
func (m *mailbox) UserMessageCount() int { return int(m.waiting.Load()) }

// PostUserMessage implements actor.Mailbox.
func (m *mailbox) PostUserMessage(message any) {
	m.waiting.Add(1)
	if w := weight(message); w > 0 {
		m.bytes.Add(w)
	}
	m.mu.Lock()
	m.user = append(m.user, message)
	m.wake()
}

// PostSystemMessage implements actor.Mailbox.
func (m *mailbox) PostSystemMessage(message any) {
	m.mu.Lock()
	m.system = append(m.system, message)
	m.urgent.Store(true)
	m.wake()
}

// wake has the mailbox run; it unlocks mu.
func (m *mailbox) wake() {
	idle := !m.running
	m.running = true
	m.mu.Unlock()
	if idle {
		m.dispatcher.Schedule(m.process)
	}
}

// run handles what waits. After so many messages others have their turn.
func (m *mailbox) run() {
	for left := m.dispatcher.Throughput(); m.some(&left); {
		if left <= 0 {
			m.dispatcher.Schedule(m.process)
			return
		}
	}
}

// some handles messages until there are none for now, which ends the run, or
// one panicked, or none are left of those that may be handled.
func (m *mailbox) some(left *int) (more bool) {
	var message any
	defer func() {
		if r := recover(); r != nil {
			m.invoker.EscalateFailure(r, message)
			more = true
		}
	}()
	for ; *left > 0; *left-- {
		if m.urgent.Load() {
			message = m.takeSystem()
			switch message.(type) {
			case *actor.SuspendMailbox:
				m.suspended = true
			case *actor.ResumeMailbox:
				m.suspended = false
			default:
				m.invoker.InvokeSystemMessage(message)
			}
			continue
		}
		if m.suspended || m.next == len(m.batch) {
			if m.refill() {
				continue
			}
			return false
		}
		message, m.batch[m.next] = m.batch[m.next], nil
		m.next++
		m.waiting.Add(-1)
		if w := weight(message); w > 0 {
			m.bytes.Add(-w)
		}
		m.invoker.InvokeUserMessage(message)
	}
	return true
}

func (m *mailbox) takeSystem() any {
	m.mu.Lock()
	defer m.mu.Unlock()
	first := m.system[0]
	m.system = slices.Delete(m.system, 0, 1)
	m.urgent.Store(len(m.system) > 0)
	return first
}

// refill takes what was posted; false ends the run, as there is nothing to do
// before the next message is posted.
func (m *mailbox) refill() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case len(m.system) > 0:
	case m.suspended || len(m.user) == 0:
		m.running = false
		return false
	default:
		empty := m.batch[:0]
		if cap(empty) > keptBatch {
			empty = nil
		}
		m.batch, m.user, m.next = m.user, empty, 0
	}
	return true
}

// drain takes everything that waits. Only the goroutine that runs the mailbox
// may call it.
func (m *mailbox) drain() []any {
	m.mu.Lock()
	defer m.mu.Unlock()
	all := append(slices.Clone(m.batch[m.next:]), m.user...)
	m.batch, m.user, m.next = nil, nil, 0
	m.waiting.Store(0)
	m.bytes.Store(0)
	return all
}
