package sim

import (
	"math"
	"math/rand/v2"
	"time"

	"github.com/parley-im/parley/cluster/replication/round"
)

// plan is what a seed decides beforehand: the cluster, how hard it is worked,
// and which faults occur how often. A mean of zero switches a fault off.
type plan struct {
	nodes, voters, shards, workers int
	clients, conversations         int
	think                          time.Duration // mean time between a client's calls
	duration                       time.Duration // of the part with faults
	keep                           round.Keep
	tickFirst                      bool // ticks before messages when both wait

	// The network.
	latency, tail time.Duration // usual delay, and that of a slow message
	slowMessages  float64       // chance
	drop, dup     float64
	fifo          bool    // messages between two nodes keep their order
	coded         bool    // messages are encoded and decoded
	notice        float64 // chance that a broken connection is noticed
	lostReplies   float64

	// The disk.
	sync      time.Duration // usual time of one
	slowSyncs float64       // chance of 0.1 to 2 s
	diskError time.Duration // mean time between two, like all below

	crash, powerCut, pause, partition, clockStep, breakLink time.Duration

	change, transfer, wipe time.Duration
	withhold               time.Duration // drawn apart: it came later, and seeds keep what they mean
	shrink                 bool          // changes may leave less than three voters
}

// drawPlan draws one. The order of draws is part of what a seed means.
func drawPlan(rng *rand.Rand) plan {
	d := draw{rng}
	p := plan{
		nodes: 3 + rng.IntN(3), shards: 2 + rng.IntN(5), workers: 1 + rng.IntN(2), clients: 2 + rng.IntN(6), conversations: 1 + rng.IntN(3),
		think: d.duration(20*time.Millisecond, 300*time.Millisecond), duration: d.duration(2*time.Second, 8*time.Second),
		tickFirst: d.coin(0.5),
		latency:   d.duration(50*time.Microsecond, 5*time.Millisecond), tail: d.duration(10*time.Millisecond, time.Second),
		slowMessages: d.sometimes(0.5, 0.1), drop: d.sometimes(0.5, 0.15), dup: d.sometimes(0.5, 0.1),
		fifo: d.coin(0.5), coded: d.coin(0.1), notice: rng.Float64(), lostReplies: d.sometimes(0.5, 0.2),
		sync: d.duration(100*time.Microsecond, 10*time.Millisecond), slowSyncs: d.sometimes(0.3, 0.02),
		diskError: d.every(0.25, time.Second, 10*time.Second),
		crash:     d.every(0.7, 200*time.Millisecond, 5*time.Second), powerCut: d.every(0.4, time.Second, 5*time.Second),
		pause: d.every(0.4, 300*time.Millisecond, 5*time.Second), partition: d.every(0.5, 300*time.Millisecond, 4*time.Second),
		clockStep: d.every(0.3, 200*time.Millisecond, 3*time.Second), breakLink: d.every(0.4, 200*time.Millisecond, 3*time.Second),
		change: d.every(0.5, 100*time.Millisecond, 2*time.Second), transfer: d.every(0.4, 100*time.Millisecond, 2*time.Second),
		wipe: d.every(0.3, time.Second, 5*time.Second), shrink: d.coin(0.2),
	}
	p.voters = min(p.nodes, 3)
	switch {
	case p.nodes == 5 && d.coin(0.3):
		p.voters = 5
	case d.coin(0.1):
		p.voters, p.shrink = 1+rng.IntN(2), true
	}
	if d.coin(0.6) {
		p.keep = round.Keep{ForAll: uint64(1 + rng.IntN(4000)), ForSlow: uint64(1 + rng.IntN(16000)), Step: uint64(8 + rng.IntN(2000))}
	}
	if p.shrink {
		p.wipe = 0 // a majority keeps its disks
	}
	return p
}

type draw struct{ *rand.Rand }

func (d draw) coin(p float64) bool { return d.Float64() < p }

// duration draws so that each order of magnitude is as likely.
func (d draw) duration(from, to time.Duration) time.Duration {
	return time.Duration(float64(from) * math.Pow(float64(to)/float64(from), d.Float64()))
}

// sometimes is a chance up to most, or none at all.
func (d draw) sometimes(p, most float64) float64 {
	on, v := d.coin(p), d.Float64()*most
	if !on {
		return 0
	}
	return v
}

// every is a mean time between faults, or zero.
func (d draw) every(p float64, from, to time.Duration) time.Duration {
	on, v := d.coin(p), d.duration(from, to)
	if !on {
		return 0
	}
	return v
}
