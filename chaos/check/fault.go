package check

import (
	"time"

	"github.com/parley-im/parley/chaos/history"
	"github.com/parley-im/parley/chat"
)

// fault follows the faults, and since when there is none.
func (c *checker) fault(e *history.Event) error {
	if e.Kind == history.KindFault {
		if _, known := c.faults[e.Op]; known || e.Op == 0 || e.Fault == "" {
			return wrong("two faults are op %d, or one has no name", e.Op)
		}
		c.faults[e.Op] = len(c.v.Faults)
		c.v.Faults = append(c.v.Faults, Fault{Op: e.Op, Kind: e.Fault, Node: e.Node, Text: e.Text, At: e.At})
		c.open++
		c.exercise("FAULT")
		return nil
	}
	i, known := c.faults[e.Op]
	if !known {
		return wrong("%s of fault %d, which there is not", e.Kind, e.Op)
	}
	f := &c.v.Faults[i]
	switch {
	case f.Healed != 0:
		return wrong("%s of fault %d, which was healed", e.Kind, e.Op)
	case e.Kind == history.KindEffect:
		if f.Effect == 0 && f.Heal == 0 {
			f.Effect, f.Seen = e.At, e.Text
		}
	case e.Kind == history.KindHeal:
		f.Heal = e.At
	default:
		f.Healed = e.At
		c.open--
		c.calm, c.healed = e.At, true
	}
	return nil
}

// effects checks that each fault did something.
func (c *checker) effects() {
	for _, f := range c.v.Faults {
		if f.Effect == 0 {
			c.violate("FAULT", NoEffect, "the fault %s of %s at %v (op %d) was not seen to take effect before it was healed", f.Kind, f.Node, clock(f.At), f.Op)
		}
		if f.Healed == 0 {
			c.v.Notes = append(c.v.Notes, "the fault "+f.Kind+" of "+f.Node+" at "+clock(f.At).String()+" was never healed: I8 and I13 are not judged after it")
		}
	}
}

// answer says what an outcome tells about the conversation's being up.
type answer int

const (
	working answer = iota
	failing
	silent // a refusal for another reason
)

func verdictOf(code chat.Code) answer {
	if code.Retryable() || code == chat.CodeInternal || code == 0 {
		return failing
	}
	return silent
}

// quiet is how long a conversation may have no attempt under way and still be
// taken as being tried all the time: retries back off.
const quiet = int64(time.Second)

// down is the time since a conversation last acknowledged, while it is tried.
//
// from is the first attempt since, 0 when there is none.
type down struct {
	from     int64
	last     int64 // the last attempt or outcome
	waiting  int
	failures bool // since from
	told     bool // as an outage
	window   int  // 1 + the index of its last window
}

func (d *down) attempt(at int64) {
	if d.from == 0 || d.waiting == 0 && at-d.last > quiet {
		d.from, d.failures, d.told = at, false, false
	}
	d.waiting++
	d.last = at
}

// answered takes the outcome of a send.
func (c *checker) answered(e *history.Event, v *conversation, a answer) {
	d := &v.down
	d.waiting--
	if c.healed && c.open == 0 {
		c.exercise("I13")
	}
	if a != silent {
		c.available(e.At, v)
	}
	d.last = e.At
	switch {
	case a == working:
		c.window(v, e.At, false)
		d.from, d.failures, d.told = 0, false, false
		if d.waiting > 0 {
			d.from = e.At
		}
	case a == failing:
		d.failures = true
		c.window(v, e.At, true)
	case d.waiting == 0 && !d.failures:
		d.from = 0
	}
}

// available checks that the conversation is not down for too long at a time at
// which it was seen to be.
func (c *checker) available(at int64, v *conversation) {
	d := &v.down
	if c.open > 0 || d.from == 0 || d.told {
		return
	}
	if took := at - max(d.from, c.calm); took > c.availableWithin {
		d.told = true
		c.violate("I13", Outage, "%s of app %d acknowledged nothing from %v to %v at least, with attempts; the last fault was healed at %v",
			v.name, v.app, clock(d.from), clock(at), clock(c.calm))
	}
}

// window notes a time without acknowledgement; an open one is replaced when it
// grows.
func (c *checker) window(v *conversation, to int64, open bool) {
	d := &v.down
	if d.from == 0 || to-d.from < int64(MinWindow) {
		return
	}
	w := Window{App: uint32(v.app), Conversation: v.name, From: d.from, To: to, Open: open, Fault: c.blame(d.from)}
	if i := d.window - 1; i >= 0 && c.v.Windows[i].From == d.from {
		c.v.Windows[i] = w
		return
	}
	c.v.Windows = append(c.v.Windows, w)
	d.window = len(c.v.Windows)
}

// blame is the fault that began last, unless it was healed before from.
func (c *checker) blame(from int64) uint64 {
	for i := len(c.v.Faults) - 1; i >= 0; i-- {
		if f := &c.v.Faults[i]; f.Healed == 0 || f.Healed >= from {
			return f.Op
		}
	}
	return 0
}
