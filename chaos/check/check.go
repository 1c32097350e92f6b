package check

import (
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/parley-im/parley/chaos/history"
)

// Options say how much porcupine looks at; the zero value is nothing.
type Options struct {
	// Seed chooses the sample.
	Seed uint64
	// Conversations is how many are sampled, Operations how many of their messages
	// from the first on, Timeout the time for each.
	Conversations, Operations int
	Timeout                   time.Duration
}

// The bounds of a history that sets none.
const (
	defaultDeliverWithin   = 10 * time.Second
	defaultAvailableWithin = 5 * time.Second
)

// ErrHistory is the reason of a *history.Error for a history that contradicts
// itself, such as an outcome without a call: the driver is at fault.
var ErrHistory = errors.New("the history makes no sense")

// Run reads the history to its end and judges it. Errors are *history.Error; a
// history that breaks promises is none.
func Run(r *history.Reader, o Options) (*Verdict, error) {
	c := newChecker(r.Config, o)
	var e history.Event
	for {
		err := r.Next(&e)
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
		if err := c.step(&e); err != nil {
			return nil, &history.Error{Line: r.Line(), Err: err}
		}
	}
	return c.finish(), nil
}

// checker is the state of one pass.
type checker struct {
	o               Options
	v               *Verdict
	tally           map[string]*Invariant
	deliverWithin   int64
	availableWithin int64

	messages      map[string]*message
	order         []*message // as first sent
	conversations map[conversationKey]*conversation
	byUser        map[userKey][]*conversation
	calls         map[uint64]*call
	pages         map[uint64]*page
	logins        map[loginKey]*login
	all           []*login // also those that newer ones replaced
	revoked       map[userKey][]int64
	sampled       []*sample

	faults map[uint64]int // index into v.Faults
	open   int            // faults that are not healed
	calm   int64          // since when none is; only while open is 0
	healed bool           // some fault was
	final  int64          // the final event's time
}

// call is a send without outcome.
type call struct {
	m     *message
	login *login
	at    int64
}

func newChecker(config history.Config, o Options) *checker {
	c := &checker{
		o: o, v: &Verdict{Config: config, Events: 1, Counts: map[Class]int{}, Examples: map[Class][]string{}, Invariants: promises()},
		tally: map[string]*Invariant{}, deliverWithin: config.DeliverWithin, availableWithin: config.AvailableWithin,
		messages: map[string]*message{}, conversations: map[conversationKey]*conversation{}, byUser: map[userKey][]*conversation{},
		calls: map[uint64]*call{}, pages: map[uint64]*page{}, logins: map[loginKey]*login{}, revoked: map[userKey][]int64{}, faults: map[uint64]int{},
	}
	if c.deliverWithin == 0 {
		c.deliverWithin = int64(defaultDeliverWithin)
	}
	if c.availableWithin == 0 {
		c.availableWithin = int64(defaultAvailableWithin)
	}
	for i := range c.v.Invariants {
		c.tally[c.v.Invariants[i].ID] = &c.v.Invariants[i]
	}
	for _, class := range Classes {
		c.v.Counts[class] = 0
	}
	return c
}

// promises are the invariants, not exercised yet.
func promises() []Invariant {
	return []Invariant{
		{ID: "I1", Promise: "what was acknowledged is on every replica, at its seq", Unit: "acknowledged messages looked up in logs"},
		{ID: "I2", Promise: "a message exists once, however often it was sent", Unit: "retried messages"},
		{ID: "I3", Promise: "logs have no holes and are equal", Unit: "entries compared between replicas"},
		{ID: "I4", Promise: "devices get each message once, in order, without gaps", Unit: "deliveries"},
		{ID: "I5", Promise: "what is sent later stands later", Unit: "messages sent after a known one"},
		{ID: "I6", Promise: "reads show what was known before", Unit: "reads of known seqs"},
		{ID: "I7", Promise: "nothing appears that was not sent, or was refused", Unit: "refused or unknown messages looked for in logs"},
		{ID: "I8", Promise: "everything is delivered soon after healing", Unit: "deliveries after healing"},
		{ID: "I9", Promise: "unread counts are right", Unit: "counts compared with logs"},
		{ID: "I11", Promise: "no success without a valid token", Unit: "calls after a token's end"},
		{ID: "I12", Promise: "no app sees another's messages", Unit: "messages seen while there are several apps"},
		{ID: "I13", Promise: "conversations take sends soon after healing", Unit: "outcomes after healing"},
		{ID: "I14", Promise: "every refusal says why", Unit: "refusals"},
		{ID: "LIN", Promise: "sampled conversations are linearizable", Unit: "conversations"},
		{ID: "FAULT", Promise: "every fault took effect", Unit: "faults"},
	}
}

// step takes one event. Errors wrap ErrHistory.
func (c *checker) step(e *history.Event) error {
	c.v.Events++
	c.v.End = e.At
	switch e.Kind {
	case history.KindSend:
		return c.send(e)
	case history.KindOK, history.KindFail, history.KindUnknown:
		return c.outcome(e)
	case history.KindRecv:
		return c.recv(e)
	case history.KindFetched:
		return c.fetched(e)
	case history.KindHead:
		return c.head(e)
	case history.KindUnread:
		return c.unread(e)
	case history.KindMarked:
		return c.marked(e)
	case history.KindLogin, history.KindLogout, history.KindToken, history.KindRevoked:
		c.access(e)
	case history.KindRefused:
		c.refused(e)
	case history.KindRebuffed:
		c.rebuffed(e)
	case history.KindFault, history.KindEffect, history.KindHeal, history.KindHealed:
		return c.fault(e)
	case history.KindReplica:
		return c.replica(e)
	case history.KindLog:
		return c.entry(e)
	case history.KindFinal:
		c.final = e.At
	case history.KindNote:
	default:
		return wrong("a line of kind %q", e.Kind)
	}
	return nil
}

func wrong(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrHistory, fmt.Sprintf(format, args...))
}

// violate counts a violation and keeps it as an example if there are few.
func (c *checker) violate(invariant string, class Class, format string, args ...any) {
	c.tally[invariant].Broken++
	c.v.Counts[class]++
	if len(c.v.Examples[class]) < MaxExamples {
		c.v.Examples[class] = append(c.v.Examples[class], invariant+": "+fmt.Sprintf(format, args...))
	}
}

func (c *checker) exercise(invariant string) { c.tally[invariant].Exercised++ }

// clock is a time for an example.
type clock int64

// String is "12.345s".
func (t clock) String() string { return time.Duration(t).Round(time.Microsecond).String() }

// conversation finds or makes the event's.
func (c *checker) conversation(e *history.Event) (*conversation, error) {
	key := conversationKey{e.App, e.Conversation}
	if v := c.conversations[key]; v != nil {
		return v, nil
	}
	a, b, ok := history.Peers(e.Conversation)
	if !ok {
		return nil, wrong("a conversation called %q", e.Conversation)
	}
	v := &conversation{conversationKey: key}
	c.conversations[key] = v
	for _, user := range []string{a, b} {
		c.byUser[userKey{e.App, user}] = append(c.byUser[userKey{e.App, user}], v)
	}
	c.choose(v)
	return v, nil
}

// login finds the device's present login. Without one, it makes one to which
// nothing is owed; so it does for a recv after the logout, which may be the
// first of a login that is about to be told.
func (c *checker) login(e *history.Event) *login {
	key := loginKey{userKey{e.App, e.User}, e.Device}
	if l := c.logins[key]; l != nil && (!l.out || e.Kind != history.KindRecv) {
		return l
	}
	l := c.begin(key, e.At)
	l.closed = true
	return l
}

func (c *checker) begin(key loginKey, at int64) *login {
	l := &login{loginKey: key, at: at, cursors: map[*conversation]*cursor{}}
	if before := c.logins[key]; before != nil {
		before.closed = true
		l.token, l.expires = before.token, before.expires
	}
	c.logins[key] = l
	c.all = append(c.all, l)
	return l
}
