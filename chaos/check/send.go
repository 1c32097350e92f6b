package check

import (
	"slices"

	"github.com/parley-im/parley/chaos/history"
	"github.com/parley-im/parley/chat"
)

// send notes an attempt and what was known before it.
func (c *checker) send(e *history.Event) error {
	v, err := c.conversation(e)
	if err != nil {
		return err
	}
	l := c.login(e)
	m := c.messages[e.Cmid]
	switch {
	case e.Op == 0 || c.calls[e.Op] != nil:
		return wrong("two calls are op %d", e.Op)
	case e.Cmid == "":
		return wrong("a send without cmid")
	case m == nil:
		m = &message{cmid: e.Cmid, conversation: v, sender: e.User, digest: e.Digest, sent: e.At, floor: v.known.last()}
		c.messages[e.Cmid] = m
		c.order = append(c.order, m)
		v.messages++
	case m.conversation != v || m.sender != e.User:
		return wrong("cmid %s is used for two messages", e.Cmid)
	}
	m.attempts++
	m.waiting++
	if !m.sentBy(l) {
		m.by = append(m.by, l)
	}
	c.calls[e.Op] = &call{m: m, login: l, at: e.At}
	v.down.attempt(e.At)
	return nil
}

// outcome ends an attempt.
func (c *checker) outcome(e *history.Event) error {
	k := c.calls[e.Op]
	if k == nil {
		return wrong("%s of op %d, which is not under way", e.Kind, e.Op)
	}
	delete(c.calls, e.Op)
	k.m.waiting--
	if e.Shard != 0 {
		k.m.conversation.shard = e.Shard
	}
	switch e.Kind {
	case history.KindOK:
		if e.Seq == 0 {
			return wrong("an ok without seq")
		}
		c.ok(e, k)
	case history.KindFail:
		c.typed(e)
		c.refusedToken(k.login, k.at)
		if e.Code == chat.CodeDedupeWindowPassed {
			k.m.doubtful = true
		}
		if e.Code == chat.CodeIDConflict {
			c.violate("I2", Dup, "at %v %s was refused as another message under its id (%d)", clock(e.At), k.m, e.Code)
		}
		c.answered(e, k.m.conversation, verdictOf(e.Code))
	default:
		k.m.doubtful = true
		c.answered(e, k.m.conversation, failing)
	}
	return nil
}

// ok is an acknowledgement.
func (c *checker) ok(e *history.Event, k *call) {
	m, v := k.m, k.m.conversation
	c.succeeded(e, k.login, k.at)
	switch {
	case m.acked == 0:
		m.acked, m.seq = e.At, e.Seq
		if m.floor > 0 {
			c.exercise("I5")
		}
		if e.Seq <= m.floor {
			c.violate("I5", Reorder, "%s, sent at %v when seq %d was known, was acknowledged as seq %d", m, clock(m.sent), m.floor, e.Seq)
		}
	case m.seq != e.Seq:
		c.violate("I2", Dup, "%s was acknowledged as seq %d at %v and as seq %d at %v", m, m.seq, clock(m.acked), e.Seq, clock(e.At))
	}
	c.claim(e, v, m)
	c.answered(e, v, working)
}

// typed checks a refusal's code.
func (c *checker) typed(e *history.Event) {
	c.exercise("I14")
	if e.Code < 6000001 || e.Code > 6009999 || e.Code == chat.CodeInternal {
		c.violate("I14", Untyped, "at %v %s/%s of app %d was refused by %s with code %d: %q", clock(e.At), e.User, e.Device, e.App, e.Node, e.Code, e.Text)
		return
	}
	if e.Want != 0 && e.Code != e.Want && !e.Code.Retryable() {
		c.violate("I14", Untyped, "at %v %s/%s of app %d was refused by %s with code %d instead of %d: %q", clock(e.At), e.User, e.Device, e.App, e.Node, e.Code, e.Want, e.Text)
	}
}

// overloaded are the answers by which a node turns anybody away who comes while
// it has too much to do.
var overloaded = []chat.Code{503, 4429}

// rebuffed checks what a connection got that broke the protocol. It may get
// nothing, or a goodbye, while its node suffers another fault.
func (c *checker) rebuffed(e *history.Event) {
	c.exercise("I14")
	if e.Code == e.Want || slices.Contains(overloaded, e.Code) || c.open > 1 {
		return
	}
	c.violate("I14", Untyped, "at %v a connection to %s with %s got %d instead of %d", clock(e.At), e.Node, e.Text, e.Code, e.Want)
}

func (c *checker) refused(e *history.Event) {
	c.typed(e)
	c.refusedToken(c.login(e), e.Call)
}

// claim keeps who says that a message stands at the event's seq; the end
// compares it with the logs.
func (c *checker) claim(e *history.Event, v *conversation, m *message) {
	if !c.believe(e, v) {
		return
	}
	for uint64(len(v.claims)) < e.Seq {
		v.claims = append(v.claims, claim{})
	}
	told := claim{m, e.User, e.Kind}
	switch before := &v.claims[e.Seq-1]; {
	case before.m == nil:
		*before = told
	case before.m != m:
		v.conflicts = append(v.conflicts, conflict{e.Seq, told})
	}
}

// farBeyond is how far a seq may lie above the number of messages before it is
// taken for garbage: memory is by seq.
const farBeyond = 1 << 16

// believe notes the event's seq as known, unless it cannot be.
func (c *checker) believe(e *history.Event, v *conversation) bool {
	if e.Seq > uint64(v.messages+farBeyond) {
		c.violate("I3", Gap, "at %v %s %s has seq %d of %s, to which %d messages were sent", clock(e.At), e.Kind, e.User, e.Seq, v.name, v.messages)
		return false
	}
	v.known.add(e.At, e.Seq)
	return true
}

// String names a message in an example.
func (m *message) String() string {
	return "message " + m.cmid + " of " + m.sender + " in " + m.conversation.name
}
