package check

import "github.com/parley-im/parley/chaos/history"

// seen checks a message that an app was shown, and gives what it is; nil when
// it cannot be of this conversation.
func (c *checker) seen(e *history.Event, v *conversation) *message {
	m := c.messages[e.Cmid]
	switch {
	case e.Canary != 0 && e.Canary != e.App, m != nil && m.conversation.app != e.App:
		c.violate("I12", Tenant, "at %v %s %s%s of app %d was shown seq %d of %s, cmid %s, which is another app's", clock(e.At), e.Kind, e.User, e.Node, e.App, e.Seq, e.Conversation, e.Cmid)
		return nil
	case m == nil:
		c.violate("I7", Phantom, "at %v %s %s%s has seq %d of %s, cmid %q, which was never sent", clock(e.At), e.Kind, e.User, e.Node, e.Seq, e.Conversation, e.Cmid)
		return nil
	case m.conversation != v:
		c.violate("I7", Phantom, "at %v %s %s%s has %s as seq %d of %s", clock(e.At), e.Kind, e.User, e.Node, m, e.Seq, e.Conversation)
		return nil
	case e.Sender != m.sender:
		c.violate("I3", Corrupt, "at %v %s %s%s has %s as one of %q", clock(e.At), e.Kind, e.User, e.Node, m, e.Sender)
	case e.Digest != "" && m.digest != "" && e.Digest != m.digest:
		c.violate("I3", Corrupt, "at %v %s %s%s has %s with the digest %s, sent was %s", clock(e.At), e.Kind, e.User, e.Node, m, e.Digest, m.digest)
	}
	return m
}

// recv is a delivery.
func (c *checker) recv(e *history.Event) error {
	v, err := c.conversation(e)
	if err != nil {
		return err
	}
	if e.Seq == 0 {
		return wrong("a recv without seq")
	}
	l := c.login(e)
	c.v.Delivered++
	c.exercise("I4")
	c.next(e, l, v)
	m := c.seen(e, v)
	if m == nil {
		return nil
	}
	c.claim(e, v, m)
	c.timely(e, l, m)
	c.succeeded(e, l, m.sent)
	return nil
}

// next checks that the delivery is the login's next one, as far as that can be
// told before the logs are known.
func (c *checker) next(e *history.Event, l *login, v *conversation) {
	k := l.cursors[v]
	switch {
	case k == nil:
		l.cursors[v] = &cursor{first: e.Seq, last: e.Seq}
	case e.Seq == k.last+1:
		k.last = e.Seq
	case e.Seq > k.last:
		k.skipped = append(k.skipped, span{k.last + 1, e.Seq - 1})
		k.last = e.Seq
	case k.take(e.Seq):
		c.violate("I4", Reorder, "at %v %s/%s got seq %d of %s after seq %d", clock(e.At), e.User, e.Device, e.Seq, v.name, k.last)
	default:
		c.violate("I4", Dup, "at %v %s/%s got seq %d of %s a second time", clock(e.At), e.User, e.Device, e.Seq, v.name)
	}
}

// timely checks the delivery's time, if no fault is open. A message without ok
// may have been committed at any time.
func (c *checker) timely(e *history.Event, l *login, m *message) {
	if c.open > 0 || m.acked == 0 {
		return
	}
	if c.healed {
		c.exercise("I8")
	}
	since := max(m.acked, c.calm, l.at)
	if took := e.At - since; took > c.deliverWithin {
		c.violate("I8", Late, "%s, acknowledged at %v, came to %s/%s at %v, %v after it was due at the earliest; the last fault was healed at %v",
			m, clock(m.acked), e.User, e.Device, clock(e.At), clock(took), clock(c.calm))
	}
}

// page is a read of history that is being told.
type page struct {
	v           *conversation
	first, last uint64
	newest      *message
}

// fetched is one message of a page.
func (c *checker) fetched(e *history.Event) error {
	v, err := c.conversation(e)
	if err != nil {
		return err
	}
	if e.Op == 0 || e.Seq == 0 {
		return wrong("a fetched without op or seq")
	}
	p := c.pages[e.Op]
	switch {
	case p == nil:
		p = &page{v: v, first: e.Seq}
		c.pages[e.Op] = p
	case p.v != v:
		return wrong("op %d fetches two conversations", e.Op)
	case e.Seq == p.last+1:
	case e.Seq == p.last:
		c.violate("I6", Dup, "at %v a page for %s of %s has seq %d twice", clock(e.At), e.User, v.name, e.Seq)
	case e.Seq < p.last:
		c.violate("I6", Reorder, "at %v a page for %s of %s has seq %d after seq %d", clock(e.At), e.User, v.name, e.Seq, p.last)
	default:
		c.violate("I6", Gap, "at %v a page for %s of %s goes from seq %d to %d", clock(e.At), e.User, v.name, p.last, e.Seq)
	}
	p.last = e.Seq
	if p.newest = c.seen(e, v); p.newest != nil {
		c.claim(e, v, p.newest)
	}
	return nil
}
