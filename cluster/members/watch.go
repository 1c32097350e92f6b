package members

import (
	"time"

	"github.com/parley-im/parley/storage"
)

// lost is a node that was live and is not, or is again and was not told so yet.
type lost struct {
	Node
	since time.Time
	back  bool // it is live again under the same start: tell it
}

func (m *Members) signal() {
	select {
	case m.wake <- struct{}{}:
	default:
	}
}

func (m *Members) tell() {
	select {
	case m.told <- struct{}{}:
	default:
	}
}

// evictAgain keeps what several others say from counting more than once.
const evictAgain = 5 * time.Second

// run gathers changes, calls back, and has errands done, one at a time.
func (m *Members) run() {
	rejoin := time.NewTimer(0)
	defer rejoin.Stop()
	done := make(chan []Node)
	busy, evicted := false, time.Time{}
	send := func() {
		if !busy && !m.leaving.Load() {
			busy = true
			e := m.errand()
			m.ended.Go(func() {
				select {
				case done <- m.do(e):
				case <-m.ctx.Done():
				}
			})
		}
	}
	for {
		select {
		case <-m.ctx.Done():
			return
		case <-m.wake:
			if !m.pause(m.o.Timing.Gather) {
				return
			}
			if m.gather() {
				send()
			}
		case <-rejoin.C:
			send()
			rejoin.Reset(m.o.Timing.Rejoin/2 + jitter(m.o.Timing.Rejoin))
		case told := <-done:
			busy = false
			m.forget(told)
		case <-m.told:
			if time.Since(evicted) > evictAgain {
				evicted = time.Now()
				m.o.Evicted()
			}
		}
	}
}

// pause waits; false when everything ends meanwhile.
func (m *Members) pause(d time.Duration) bool {
	wait := time.NewTimer(d)
	defer wait.Stop()
	select {
	case <-wait.C:
		return true
	case <-m.ctx.Done():
		return false
	}
}

// watchClock notices that this process was stopped, or starved, for so long that
// the others must have given it up. It runs apart from the callbacks, whose
// slowness is no pause. The clock is read once a look and first before this
// goroutine runs, so that no pause falls between two readings.
func (m *Members) watchClock(last time.Time) {
	look := time.NewTicker(m.o.Timing.givenUp() / 6)
	defer look.Stop()
	for {
		select {
		case <-look.C:
			now := time.Now()
			if now.Sub(last) > m.o.Timing.givenUp() {
				m.tell()
			}
			last = now
		case <-m.ctx.Done():
			return
		}
	}
}

// gather finds out what has changed and calls back; it says whether there is a
// node to be told that it had been given up.
func (m *Members) gather() (owed bool) {
	all, strangers := m.read()
	m.warn(strangers)
	changed := len(all) != len(m.live)
	before := m.live
	m.live = make(map[storage.NodeID]Node, len(all))
	for _, n := range all {
		m.live[n.ID] = n
		changed = changed || n != before[n.ID]
		if was, ok := m.lost[n.ID]; ok {
			if was.Start == n.Start {
				was.back = true
				m.lost[n.ID] = was
				owed = true
			} else {
				delete(m.lost, n.ID)
			}
		}
	}
	for id, was := range before {
		n, ok := m.live[id]
		if !ok {
			m.lost[id] = lost{Node: was, since: time.Now()}
		}
		if !ok || n.Start != was.Start {
			m.o.Gone(was)
		}
	}
	if changed {
		m.writePeers()
		m.o.Changed(all)
	}
	return owed
}

// warn says once of each stranger that it is not listed.
func (m *Members) warn(strangers []Node) {
	for _, n := range strangers {
		if key := string(n.ID) + " " + n.Cluster; !m.warned[key] {
			m.warned[key] = true
			m.o.Log.Warn("a node of another cluster gossips here; it is ignored", "node", n.ID, "cluster", n.Cluster)
		}
	}
}

// forget drops those who were told that they had been given up, unless they
// were lost again since.
func (m *Members) forget(told []Node) {
	for _, n := range told {
		if was, ok := m.lost[n.ID]; ok && was.back && was.Start == n.Start {
			delete(m.lost, n.ID)
		}
	}
}
