package workload

import (
	"bytes"
	"fmt"
	"sync"
	"time"

	"github.com/parley-im/parley/chaos/history"
)

// sleep is a user who is always online, says nothing, and at times does not read
// what comes.
func (a *actor) sleep(user string) { a.stay(user, "watch", a.w.sockets.drowsy) }

// How a crier writes: seldom, and much and often while the sleepers do not read.
const (
	criers      = 4
	cryingCalm  = 2 * time.Second
	cryingLoud  = 20 * time.Millisecond
	loudestBody = 30 << 10
)

// cry is a user who writes to the sleepers, in several streams.
func (a *actor) cry(user string) {
	d := a.stay(user, "phone", nil)
	if d == nil {
		return
	}
	var streaming sync.WaitGroup
	for range criers {
		s := &actor{w: a.w, app: a.app, rng: fork(a.rng)}
		streaming.Go(func() {
			for last := time.Now(); s.pause(cryingLoud); {
				loud := a.w.sockets.gate.isShut()
				if !loud && time.Since(last) < cryingCalm {
					continue
				}
				last = time.Now()
				// A few get most of it: more than the buffers between them and the node hold.
				f := s.rng.Float64()
				m := s.compose(user, sleeper(int(sleepers*f*f*f)))
				if loud {
					m.body = fmt.Appendf(nil, "%s%d %s", canaryPrefix, a.app.ID, bytes.Repeat([]byte("z"), s.rng.IntN(loudestBody)))
				}
				if !s.through(d, m) {
					return
				}
			}
		})
	}
	streaming.Wait()
}

// Sleep has the sleepers' devices read nothing more until Wake was called as
// often, and says how many they are.
func (w *Workload) Sleep() (devices int) {
	w.sockets.gate.close()
	w.mu.Lock()
	defer w.mu.Unlock()
	for d := range w.devices {
		if d.name == "watch" {
			devices++
		}
	}
	return devices
}

// Wake undoes a Sleep.
func (w *Workload) Wake() { w.sockets.gate.open() }

// Missed counts the messages that were acknowledged and have not come to the
// sleepers.
func (w *Workload) Missed() (messages int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for at, h := range w.heads {
		a, b, _ := history.Peers(at.conv)
		for d := range w.devices {
			if d.name != "watch" || d.app.ID != at.app || d.user != a && d.user != b || h.sent < d.since {
				continue
			}
			d.mu.Lock()
			messages += int(h.seq - min(h.seq, d.seen[at.conv]))
			d.mu.Unlock()
		}
	}
	return messages
}
