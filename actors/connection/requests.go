package connection

import (
	"time"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/cluster/ask"
	"github.com/parley-im/parley/internal/pending"
	"github.com/parley-im/parley/proto/method"
	"github.com/parley-im/parley/proto/wirepb"
)

// request is what an actor was asked and has not answered. Actors know it by a
// number of the connection's own: the client's ids are its own affair.
type request struct {
	id     uint32         // the client's
	method *method.Method // nil: it is none of the client's
	what   purpose
	at     time.Time
}

// purpose says what becomes of an answer.
type purpose uint8

const (
	forClient   purpose = iota // it goes to the client
	forHello                   // the client is welcomed
	forReattach                // the client sees nothing of it
)

// requests are those that await their answer.
//
// Invariant: ids holds the ids of all requests for the client.
type requests struct {
	pending.Table[request]
	ids map[uint32]struct{}
}

// has says whether a request under the client's id awaits its answer.
func (r *requests) has(id uint32) bool {
	_, used := r.ids[id]
	return used
}

// add takes a request in and gives its number.
func (r *requests) add(q request) uint32 {
	if q.what == forClient {
		if r.ids == nil {
			r.ids = make(map[uint32]struct{})
		}
		r.ids[q.id] = struct{}{}
	}
	return r.Add(q)
}

// take ends a request; false when it was answered before, or never made.
func (r *requests) take(number uint32) (request, bool) {
	q, ok := r.Take(number)
	if ok && q.what == forClient {
		delete(r.ids, q.id)
	}
	return q, ok
}

// before lists the requests that were made before a time.
func (r *requests) before(t time.Time) (numbers []uint32) {
	for number, q := range r.All() {
		if q.at.Before(t) {
			numbers = append(numbers, number)
		}
	}
	return numbers
}

var (
	errClosed   = chat.Errorf(chat.CodeUnavailable, "request", "the connection is closed")
	errNoAnswer = chat.Errorf(chat.CodeTimeout, "request", "there was no answer in time; the outcome is unknown")
)

// enter takes a request in, unless this client or the node's have asked too
// much, and gives its number.
func (c *Connection) enter(id uint32, m *method.Method, what purpose) (uint32, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.account == nil:
		return 0, errClosed
	case what == forClient && c.requests.has(id):
		return 0, chat.Errorf(chat.CodeInvalidParam, "request", "request %d awaits its answer; give each request an id of its own", id)
	case c.requests.Len() >= maxInFlight:
		return 0, chat.Errorf(chat.CodeBusy, "request", "%d requests await their answer; wait for one before the next", maxInFlight)
	}
	charged := m
	if what != forClient {
		charged = nil // nobody is kept out by load who comes or comes back
	}
	if err := c.o.Admission.Enter(c.account, charged); err != nil {
		return 0, err
	}
	return c.requests.add(request{id, m, what, time.Now()}), nil
}

// spend lets a request in that this node answers at once.
func (c *Connection) spend(m *method.Method) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.account == nil {
		return errClosed
	}
	return c.o.Admission.Spend(c.account, m)
}

// leave ends a request; false when nobody waits for its answer any more.
func (c *Connection) leave(number uint32, refused bool) (request, bool) {
	c.mu.Lock()
	q, ok := c.requests.take(number)
	if ok {
		c.o.Admission.Leave(c.account, 1)
	}
	c.mu.Unlock()
	if ok && q.method != nil {
		c.o.Meter.Done(q.method, time.Since(q.at), refused)
	}
	return q, ok
}

// expire ends requests that nobody has answered in time.
func (c *Connection) expire(now time.Time) {
	c.mu.Lock()
	late := c.requests.before(now.Add(-ask.AnswerTime))
	c.mu.Unlock()
	for _, number := range late {
		c.fail(number, wirepb.FromError("request", errNoAnswer))
	}
}
