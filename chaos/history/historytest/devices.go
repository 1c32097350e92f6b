package historytest

import (
	"fmt"
	"slices"
	"time"

	"github.com/parley-im/parley/chaos/history"
	"github.com/parley-im/parley/chat"
)

// login is one life of a device.
type login struct {
	*user
	device  string
	cursors map[*conversation]uint64
	offline int64 // gets nothing before
	out     bool
	leaving bool // another login is taking its place
	expired bool // goes on asking with a token that has ended
}

// event begins an event of the device.
func (l *login) event(k history.Kind) history.Event {
	return history.Event{Kind: k, App: l.app, User: l.name, Device: l.device}
}

// login begins one on a device of its own.
func (w *world) login(u *user) {
	if w.over {
		return
	}
	u.devices++
	l := &login{user: u, device: fmt.Sprintf("%s-d%d", u.name, u.devices), cursors: map[*conversation]uint64{}}
	token := l.event(history.KindToken)
	token.Expires = w.now + int64(time.Hour)
	expires := w.chance(15)
	if expires {
		token.Expires = w.now + int64(w.between(3*time.Second, 8*time.Second))
	}
	w.emit(token)
	called := w.now
	w.after(w.between(time.Millisecond, 30*time.Millisecond), func() {
		e := l.event(history.KindLogin)
		e.Call, e.Node = called, w.node()
		if u.revoked >= called {
			e.Kind, e.Code = history.KindRefused, chat.CodeTokenInvalid
			w.emit(e)
			return
		}
		for _, v := range u.in {
			l.cursors[v] = uint64(len(v.log))
		}
		w.emit(e)
		u.logins = append(u.logins, l)
		w.later(l)
		switch {
		case expires && w.chance(50):
			w.after(2*time.Second, func() { w.renew(l) })
		case expires:
			w.after(w.between(8*time.Second, 20*time.Second), func() { w.logout(l, chat.CodeTokenExpired) })
		}
	})
}

func (w *world) renew(l *login) {
	e := l.event(history.KindToken)
	e.Expires = w.now + int64(time.Hour)
	w.emit(e)
}

func (w *world) logout(l *login, code chat.Code) {
	if l.out {
		return
	}
	l.out, l.expired = true, code == chat.CodeTokenExpired
	l.logins = slices.DeleteFunc(l.logins, func(other *login) bool { return other == l })
	e := l.event(history.KindLogout)
	e.Code = code
	w.emit(e)
	if l.expired {
		w.later(l)
	}
}

// revoke ends all logins of the user; another one follows.
func (w *world) revoke(u *user) {
	u.revoked = w.now
	w.emit(history.Event{Kind: history.KindRevoked, App: u.app, User: u.name})
	for _, l := range slices.Clone(u.logins) {
		w.after(w.between(0, 3*time.Second), func() { w.logout(l, chat.CodeTokenInvalid) })
	}
	w.after(4*time.Second, func() { w.login(u) })
}

// later has the device do something after a while.
func (w *world) later(l *login) {
	w.after(w.between(w.o.Pace/2, w.o.Pace*3/2), func() { w.act(l) })
}

// act is one thing that a device does.
func (w *world) act(l *login) {
	if w.over || l.out && !l.expired {
		return
	}
	w.later(l)
	v := l.in[w.rng.IntN(len(l.in))]
	if l.expired {
		w.refused(l, v)
		return
	}
	switch n := w.rng.IntN(100); {
	case n < 60:
		w.compose(l, v)
	case n < 75:
		w.page(l, v)
	case n < 83:
		w.list(l, v)
	case n < 88:
		w.markRead(l, v)
	case n < 95:
		l.offline = max(l.offline, w.now+int64(w.between(0, 2*time.Second)))
	case n < 97:
		w.logout(l, 0)
		if !l.leaving {
			w.login(l.user)
		}
	case !l.leaving:
		l.leaving = true
		w.login(l.user)
		w.after(time.Second, func() { w.logout(l, chat.CodeKicked) })
	}
}

// refused is what an expired token gets.
func (w *world) refused(l *login, v *conversation) {
	called := w.now
	if w.chance(50) {
		w.after(5*time.Millisecond, func() {
			e := l.event(history.KindRefused)
			e.Call, e.Code, e.Node = called, chat.CodeTokenExpired, w.node()
			w.emit(e)
		})
		return
	}
	m := w.message(l.user, v)
	op := w.begin(l, m)
	w.after(5*time.Millisecond, func() { w.fail(op, chat.CodeTokenExpired) })
}

// push delivers to every device of the conversation's users what it lacks.
func (w *world) push(v *conversation) {
	for _, u := range v.members {
		for _, l := range u.logins {
			w.after(w.between(time.Millisecond, 50*time.Millisecond), func() { w.deliver(l, v) })
		}
	}
}

func (w *world) deliver(l *login, v *conversation) {
	if l.out {
		return
	}
	if wait := time.Duration(l.offline - w.now); wait > 0 {
		w.after(wait+w.between(0, 100*time.Millisecond), func() { w.deliver(l, v) })
		return
	}
	for _, m := range v.log[l.cursors[v]:] {
		l.cursors[v] = m.seq
		if !slices.Contains(m.by, l) {
			w.emit(m.shown(l.event(history.KindRecv)))
		}
	}
}

// shown fills in what an event tells of a message.
func (m *message) shown(e history.Event) history.Event {
	e.Conversation, e.Seq, e.Cmid, e.Sender, e.Digest, e.Canary = m.in.name, m.seq, m.cmid, m.from.name, m.digest(), m.in.app
	return e
}
