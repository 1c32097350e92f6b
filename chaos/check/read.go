package check

import "github.com/parley-im/parley/chaos/history"

// head is a read of a conversation's last seq, and the end of its page.
func (c *checker) head(e *history.Event) error {
	v, err := c.conversation(e)
	if err != nil {
		return err
	}
	p := c.pages[e.Op]
	delete(c.pages, e.Op)
	if e.First > 0 && (p == nil || p.first != e.First || p.last != e.Last) {
		c.violate("I6", Gap, "at %v a page for %s of %s claims to cover %d to %d and does not", clock(e.At), e.User, v.name, e.First, e.Last)
	}
	c.asked(e, v)
	if v.sample != nil {
		seen := look{call: e.Call, at: e.At, head: e.Seq}
		if p != nil && p.last == e.Seq {
			seen.newest = p.newest
		}
		v.sample.looks = append(v.sample.looks, seen)
	}
	return nil
}

// asked checks that a read shows what was known before it was called.
func (c *checker) asked(e *history.Event, v *conversation) {
	c.v.Reads++
	c.succeeded(e, c.login(e), e.Call)
	known := v.known.before(e.Call)
	if known > 0 {
		c.exercise("I6")
	}
	if e.Seq < known {
		c.violate("I6", Stale, "%s/%s, asking %s at %v, was told that %s ends at seq %d; seq %d was known before", e.User, e.Device, e.Node, clock(e.Call), v.name, e.Seq, known)
	}
	c.believe(e, v)
}

// unread is what a list told; it is compared with the logs at the end.
type unread struct {
	at                int64
	user              string
	head, read, count uint64
}

func (c *checker) unread(e *history.Event) error {
	v, err := c.conversation(e)
	if err != nil {
		return err
	}
	c.asked(e, v)
	if marks := v.marks[e.User]; marks != nil && e.Read < marks.before(e.Call) {
		c.violate("I6", Unread, "%s, asking %s at %v, was told that %s is read up to seq %d; it had been marked up to %d before",
			e.User, e.Node, clock(e.Call), v.name, e.Read, marks.before(e.Call))
	}
	v.unreads = append(v.unreads, unread{at: e.At, user: e.User, head: e.Seq, read: e.Read, count: e.Unread})
	v.mark(e.User, e.At, e.Read)
	return nil
}

func (c *checker) marked(e *history.Event) error {
	v, err := c.conversation(e)
	if err != nil {
		return err
	}
	c.asked(e, v)
	v.mark(e.User, e.At, e.Seq)
	return nil
}

// mark notes how far the user has read.
func (v *conversation) mark(user string, at int64, seq uint64) {
	if v.marks == nil {
		v.marks = map[string]*points{}
	}
	if v.marks[user] == nil {
		v.marks[user] = &points{}
	}
	v.marks[user].add(at, seq)
}
