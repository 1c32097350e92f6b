package workload

import (
	"sync"
	"time"

	"github.com/parley-im/parley/chaos/history"
	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/client"
)

// talk is a user who is always online, writes to two others at once, looks at
// the list now and then, and at the history also while a message has no answer.
func (a *actor) talk(user string, peers ...string) {
	d := a.stay(user, "phone", nil)
	if d == nil {
		return
	}
	streams := len(a.w.o.Apps) * talkers * len(peers)
	mean := time.Second * time.Duration(streams) / time.Duration(a.w.o.Rate)
	var streaming sync.WaitGroup
	for _, peer := range peers {
		// Each stream draws from numbers of its own.
		s := &actor{w: a.w, app: a.app, rng: fork(a.rng)}
		streaming.Go(func() {
			for s.pause(mean) {
				if !s.through(d, s.compose(user, peer)) {
					return
				}
				if s.rng.IntN(100) == 0 {
					_ = d.list(thinTimeout)
				}
			}
		})
		l := &actor{w: a.w, app: a.app, rng: fork(a.rng)}
		streaming.Go(func() {
			for l.pause(looking) {
				_, _, _ = d.history(client.HistoryRequest{Peer: peer, Count: 20, NewestFirst: true}, thinTimeout)
			}
		})
	}
	streaming.Wait()
}

// looking is about how often a talker looks at the history of a conversation.
const looking = time.Second

// open is a user who is always online and writes seldom, to somebody else each
// time: most of its conversations are cold, many messages their first.
func (a *actor) open(number int) {
	d := a.stay(opener(number), "phone", nil)
	if d == nil {
		return
	}
	for a.pause(time.Second) {
		peer := (number + 1 + a.rng.IntN(openers-1)) % openers
		if !a.through(d, a.compose(opener(number), opener(peer))) {
			return
		}
	}
}

// roam is a user whose device is on another node each time, one attempt a call:
// what came to nothing or to no answer is sent again from the next node, and so
// is now and then what was acknowledged.
func (a *actor) roam(user, peer string) {
	var m *message
	for a.pause(300 * time.Millisecond) {
		d, err := a.w.thin(a.app, user, "roaming", a.server())
		if err != nil {
			continue
		}
		if m == nil {
			m = a.compose(user, peer)
		}
		err = d.send(m, thinTimeout)
		_, _, _ = d.history(client.HistoryRequest{Peer: peer, Count: 30, NewestFirst: true}, thinTimeout)
		switch a.rng.IntN(3) {
		case 0:
			_ = d.list(thinTimeout)
		case 1:
			_ = d.markRead(peer, thinTimeout)
		}
		// What was acknowledged is at times sent once more, from elsewhere.
		if err == nil && a.rng.IntN(3) > 0 || err != nil && !again(err) {
			m = nil
		}
		d.logout(nil)
	}
}

// switchDevices is a user who changes between two devices: a login on one ends
// that of the other, and the new one sends the last message of the old again.
func (a *actor) switchDevices(user, peer string) {
	var last *message
	for turn := 0; ; turn++ {
		d := a.stay(user, []string{"phone", "tablet"}[turn%2], nil)
		if d == nil {
			return
		}
		if last != nil {
			a.through(d, last)
		}
		for range 5 + a.rng.IntN(20) {
			if !a.pause(100 * time.Millisecond) {
				return // it stays online
			}
			last = a.compose(user, peer)
			if !a.through(d, last) {
				break
			}
		}
		if a.rng.IntN(2) == 0 {
			d.logout(nil)
		}
	}
}

// shortest is little more than the least time that a token may be good for.
const shortest = 32 * time.Second

// overstay is a user whose token ends soon and who goes on trying with it.
func (a *actor) overstay(user, peer string) {
	text, err := token(a.app, user, shortest)
	if err != nil {
		return
	}
	ends := a.w.o.History.Now() + int64(shortest)
	for a.pause(time.Second) {
		at := a.server()
		d := a.w.device(a.app, user, "old")
		d.node = at.Name
		e := d.event(history.KindToken)
		e.Expires = ends
		a.w.record(e)
		if d.dial(client.Options{Servers: []string{at.URL}, NoReconnect: true, AttemptTimeout: attemptTime, Token: text}, 0) != nil {
			continue
		}
		for a.pause(500 * time.Millisecond) {
			if chat.CodeOf(d.send(a.compose(user, peer), thinTimeout)) == chat.CodeNotLoggedIn {
				break
			}
		}
		d.logout(nil)
	}
}
