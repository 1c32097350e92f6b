package sim

import (
	"time"

	"github.com/parley-im/parley/cluster/replication/round"
	"github.com/parley-im/parley/storage"
)

// startFaults lets each fault of the plan happen at random times until healing.
func (r *run) startFaults() {
	p := &r.plan
	r.often(p.crash, r.crashOne)
	r.often(p.powerCut, r.cutPower)
	r.often(p.pause, func() {
		n := r.anyNode()
		if d := r.between(10*time.Millisecond, 3*time.Second); !n.pinned {
			n.pause(d)
		}
	})
	r.often(p.partition, r.partition)
	r.often(p.breakLink, func() { r.net.breakLink(r.anyNode(), r.anyNode()) })
	r.often(p.clockStep, func() {
		n := r.anyNode()
		n.skew = r.between(-2*time.Minute, 2*time.Minute)
		r.trace.add(evClock, n.number, uint64(n.skew.Milliseconds()))
	})
	r.often(p.diskError, func() {
		if n := r.anyNode(); n.up && !n.pinned {
			n.disk.failing = true
		}
	})
	r.often(p.transfer, r.transfer)
	r.often(p.change, r.changeSome)
	r.often(p.wipe, r.wipeOne)
	r.often(p.withhold, r.withholdOne)
	r.after(moveInterval, r.moveOn)
	if r.o.Restore && !p.shrink { // a majority keeps its disks
		r.often(300*time.Millisecond, r.copyOne)
		r.often(time.Second, r.restoreOne)
	}
}

// often has a fault happen again and again until healing.
func (r *run) often(mean time.Duration, f func()) {
	if mean == 0 {
		return
	}
	r.after(r.around(mean), func() {
		if !r.healed {
			f()
			r.often(mean, f)
		}
	})
}

func (r *run) anyNode() *node { return r.nodes[r.rng.IntN(len(r.nodes))] }

// crashOne crashes a node at once or at the next chance of a certain kind.
func (r *run) crashOne() {
	n := r.anyNode()
	if !n.up || n.pinned {
		return
	}
	if r.chance(0.5) {
		n.crash(r.chance(0.7))
		r.restart(n)
		return
	}
	n.trap = 1 + trap(r.rng.IntN(int(traps)-1))
	r.trace.add(evTrap, n.number, uint64(n.trap))
}

// restart has a crashed node start again.
func (r *run) restart(n *node) {
	d := r.around(500 * time.Millisecond)
	if r.chance(0.4) {
		d = r.between(0, 20*time.Millisecond)
	}
	r.after(d, n.start)
}

// cutPower crashes all nodes, or most.
func (r *run) cutPower() {
	all := r.chance(0.5)
	for _, n := range r.nodes {
		if n.up && !n.pinned && (all || r.chance(0.7)) {
			n.crash(true)
			r.restart(n)
		}
	}
}

// partition cuts the nodes into two sides for a while, in both directions or
// in one.
func (r *run) partition() {
	var cut []*link
	side := r.rng.Uint64()
	oneWay, noticed := r.chance(0.3), r.chance(r.plan.notice)
	for _, a := range r.nodes {
		for _, b := range r.nodes {
			inA, inB := side>>a.number&1 == 1, side>>b.number&1 == 1
			if inA == inB || oneWay && inA {
				continue
			}
			l := r.net.link(a, b)
			l.blocked++
			cut = append(cut, l)
			if noticed {
				r.net.noticeDown(a, b)
			}
		}
	}
	d := r.between(50*time.Millisecond, 4*time.Second)
	r.trace.add(evPartition, 0, side&0xffff, bit(oneWay), uint64(d.Microseconds()))
	r.after(d, func() {
		for _, l := range cut {
			l.blocked = max(0, l.blocked-1)
		}
	})
}

// transfer asks a leader to hand over to any node.
func (r *run) transfer() {
	s, to := storage.ShardID(1+r.rng.IntN(r.plan.shards)), r.anyNode()
	if n := r.leader(s); n != nil {
		r.trace.add(evTransfer, n.number, uint64(s), uint64(to.number))
		n.worker(s).do(func(core *round.Worker) { core.Transfer(s, to.name) })
	}
}

// withholdOne has a node not lead, or lead again; a start lets it lead.
func (r *run) withholdOne() {
	n, on := r.anyNode(), r.chance(0.6)
	r.trace.add(evWithhold, n.number, bit(on))
	n.withhold(on)
}

func (n *node) withhold(on bool) {
	if !n.up {
		return
	}
	for _, w := range n.workers {
		w.do(func(core *round.Worker) { core.Withhold(on) })
	}
}

// heal ends all faults and lets every shard be written to.
func (r *run) heal() {
	r.healed, r.healedAt = true, r.now
	r.trace.add(evHeal, 0)
	for i := range r.net.links {
		for j := range r.net.links[i] {
			r.net.links[i][j].blocked = 0
		}
	}
	for _, n := range r.nodes {
		n.trap = noTrap
		if n.up {
			n.disk.failing = false
			n.resume()
			n.withhold(false)
		}
		n.start()
	}
	for _, s := range r.shards[1:] {
		c := &client{run: r, id: len(r.clients)}
		r.clients = append(r.clients, c)
		c.begin(s, 0)
	}
}
