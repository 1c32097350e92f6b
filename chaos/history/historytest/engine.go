package historytest

import (
	"fmt"
	"slices"
	"time"

	"github.com/parley-im/parley/chaos/history"
	"github.com/parley-im/parley/chat"
)

// compose sends something new, or something old once more.
func (w *world) compose(l *login, v *conversation) {
	if len(v.sent) > 0 && w.chance(25) {
		if m := v.sent[w.rng.IntN(len(v.sent))]; m.from == l.user {
			w.send(l, m)
			return
		}
	}
	w.send(l, w.message(l.user, v))
}

func (w *world) message(u *user, v *conversation) *message {
	m := &message{in: v, cmid: w.cmid(), issued: w.now / 1e6, from: u}
	v.sent = append(v.sent, m)
	return m
}

// begin notes an attempt.
func (w *world) begin(l *login, m *message) (op uint64) {
	op = w.op()
	if !slices.Contains(m.by, l) {
		m.by = append(m.by, l)
	}
	e := l.event(history.KindSend)
	e.Op, e.Conversation, e.Cmid, e.IssuedAt, e.Digest = op, m.in.name, m.cmid, m.issued, m.digest()
	w.emit(e)
	return op
}

// send is one attempt: done and acknowledged, done or not without a word, or
// refused.
func (w *world) send(l *login, m *message) {
	op, v := w.begin(l, m), m.in
	wait := w.between(time.Millisecond, 60*time.Millisecond)
	down := v.downTo > w.now
	if down {
		wait += time.Duration(v.downTo - w.now)
	}
	n := w.rng.IntN(100)
	if !down && v.bad {
		n = 0
	}
	switch {
	case n < 85 && !down, n < 30:
		w.after(wait, func() {
			w.commit(m)
			w.after(w.between(0, 20*time.Millisecond), func() { w.ok(op, m) })
		})
		return
	case n < 90 && !down: // done, and the word of it is lost
		w.after(w.between(0, 2*time.Second), func() { w.commit(m) })
		w.after(w.between(0, 2*time.Second), func() { w.unknown(op) })
	case n < 60: // the send is lost
		w.after(w.between(0, 2*time.Second), func() { w.unknown(op) })
	case n < 61 && len(m.by) > 1:
		w.after(wait, func() { w.fail(op, chat.CodeDedupeWindowPassed) })
	case n < 80:
		w.after(w.between(0, 30*time.Millisecond), func() { w.fail(op, chat.CodeUnavailable) })
	default:
		w.after(w.between(0, 30*time.Millisecond), func() { w.fail(op, chat.CodeBusy) })
	}
	v.bad = true
}

// commit appends a message unless it is there.
func (w *world) commit(m *message) {
	if m.seq > 0 {
		return
	}
	m.in.log = append(m.in.log, m)
	m.seq = uint64(len(m.in.log))
	w.push(m.in)
}

func (w *world) ok(op uint64, m *message) {
	m.in.bad = false
	w.emit(history.Event{Kind: history.KindOK, Op: op, App: m.in.app, User: m.from.name, Seq: m.seq, Shard: m.in.shard, Node: w.node()})
}

func (w *world) unknown(op uint64) {
	w.emit(history.Event{Kind: history.KindUnknown, Op: op, Code: chat.CodeTimeout})
}

func (w *world) fail(op uint64, code chat.Code) {
	w.emit(history.Event{Kind: history.KindFail, Op: op, Code: code, Text: "refused"})
}

// at has a read look at the engine at some moment, and answer at a later one.
func (w *world) at(l *login, look func() []history.Event) {
	called := w.now
	w.after(w.between(0, 20*time.Millisecond), func() {
		answer := look()
		w.after(w.between(0, 20*time.Millisecond), func() {
			for _, e := range answer {
				e.Call, e.App, e.User, e.Device, e.Node = called, l.app, l.name, l.device, w.node()
				w.emit(e)
			}
		})
	})
}

// page reads some of the newest messages.
func (w *world) page(l *login, v *conversation) {
	op := w.op()
	w.at(l, func() (all []history.Event) {
		head := history.Event{Kind: history.KindHead, Op: op, Conversation: v.name, Seq: uint64(len(v.log))}
		from := max(0, len(v.log)-1-w.rng.IntN(10))
		for _, m := range v.log[from:] {
			e := m.shown(history.Event{Kind: history.KindFetched})
			e.Op = op
			all = append(all, e)
			head.First, head.Last = uint64(from+1), m.seq
		}
		return append(all, head)
	})
}

func (w *world) list(l *login, v *conversation) {
	w.at(l, func() []history.Event { return []history.Event{w.unread(l.user, v)} })
}

// unread counts what others wrote after the user's mark.
func (w *world) unread(u *user, v *conversation) history.Event {
	e := history.Event{Kind: history.KindUnread, Conversation: v.name, Seq: uint64(len(v.log)), Read: u.marks[v]}
	for _, m := range v.log[e.Read:] {
		if m.from != u {
			e.Unread++
		}
	}
	return e
}

func (w *world) markRead(l *login, v *conversation) {
	w.at(l, func() []history.Event {
		l.marks[v] = uint64(len(v.log))
		return []history.Event{{Kind: history.KindMarked, Conversation: v.name, Seq: l.marks[v]}}
	})
}

var faultKinds = []string{"kill", "pause", "partition", "disk-full", "restart"}

// planFaults makes some, one after the other or two at a time.
func (w *world) planFaults() {
	for at := 3 * time.Second; at < w.o.Length-3*time.Second; at += w.between(2*time.Second, 20*time.Second) {
		w.after(at, w.fault)
	}
}

// fault takes some conversations down and some devices offline for a while.
func (w *world) fault() {
	op, kind, node := w.op(), faultKinds[w.rng.IntN(len(faultKinds))], w.node()
	w.emit(history.Event{Kind: history.KindFault, Op: op, Fault: kind, Node: node})
	length := w.between(500*time.Millisecond, 6*time.Second)
	w.after(10*time.Millisecond, func() {
		w.emit(history.Event{Kind: history.KindEffect, Op: op, Text: "seen on " + node})
		for _, v := range w.conversations {
			if w.chance(50) {
				v.downTo = w.now + int64(w.between(0, length+2*time.Second))
			}
		}
		for _, u := range w.users {
			for _, l := range u.logins {
				if w.chance(50) {
					l.offline = w.now + int64(w.between(0, length+5*time.Second))
				}
			}
		}
	})
	w.after(length, func() { w.emit(history.Event{Kind: history.KindHeal, Op: op}) })
	w.after(length+w.between(0, time.Second), func() { w.emit(history.Event{Kind: history.KindHealed, Op: op}) })
}

// finish reads what is left when all has calmed down.
func (w *world) finish() {
	w.emit(history.Event{Kind: history.KindFinal})
	for _, u := range w.users {
		for _, l := range u.logins {
			for _, v := range u.in {
				e := w.unread(u, v)
				e.Call, e.App, e.User, e.Device, e.Node = w.now, l.app, l.name, l.device, w.node()
				w.emit(e)
			}
		}
	}
	for _, v := range w.conversations {
		first := w.rng.IntN(w.o.Nodes)
		for i := range 3 {
			node := fmt.Sprintf("n%d", 1+(first+i)%w.o.Nodes)
			w.emit(history.Event{Kind: history.KindReplica, App: v.app, Node: node, Conversation: v.name, Shard: v.shard, Seq: uint64(len(v.log))})
			for _, m := range v.log {
				w.emit(history.Event{
					Kind: history.KindLog, App: v.app, Node: node, Conversation: v.name, Seq: m.seq, Cmid: m.cmid, Sender: m.from.name,
					Hash: fmt.Sprintf("%016x", m.seq*0x9e3779b97f4a7c15) + m.cmid[:8],
				})
			}
		}
	}
}
