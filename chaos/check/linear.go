package check

import (
	"cmp"
	"math"
	"slices"

	"github.com/anishathalye/porcupine"
	"github.com/cespare/xxhash/v2"
)

// sample is a conversation that porcupine looks at.
type sample struct {
	v     *conversation
	rank  uint64
	looks []look
}

// look is a read of the last seq, and of the message there if it was told.
type look struct {
	call, at int64
	head     uint64
	newest   *message
}

// choose takes a new conversation into the sample if its rank, which the seed
// decides, is among the lowest. One that it displaces is dropped.
func (c *checker) choose(v *conversation) {
	if c.o.Conversations <= 0 {
		return
	}
	d := xxhash.NewWithSeed(c.o.Seed)
	_, _ = d.WriteString(v.name) // never fails
	s := &sample{v: v, rank: d.Sum64() ^ uint64(v.app)}
	at, _ := slices.BinarySearchFunc(c.sampled, s, func(a, b *sample) int { return cmp.Compare(a.rank, b.rank) })
	if at >= c.o.Conversations {
		return
	}
	v.sample = s
	c.sampled = slices.Insert(c.sampled, at, s)
	if len(c.sampled) > c.o.Conversations {
		last := len(c.sampled) - 1
		c.sampled[last].v.sample = nil
		c.sampled = c.sampled[:last]
	}
}

// step is an operation: an append of m that took seq, or a read that saw seq and,
// unless nil, m.
type step struct {
	appends bool
	seq     uint64
	m       *message
}

// tail is the state of the log as far as operations see it.
type tail struct {
	seq uint64
	m   *message
}

var logModel = porcupine.Model{
	Init: func() any { return tail{} },
	Step: func(state, input, _ any) (bool, any) {
		at, do := state.(tail), input.(step)
		if do.appends {
			return do.seq == at.seq+1, tail{do.seq, do.m}
		}
		return do.seq == at.seq && (do.m == nil || do.m == at.m), at
	},
	Equal: func(a, b any) bool { return a == b },
}

// linear has porcupine look at the sample.
func (c *checker) linear() {
	for _, s := range c.sampled {
		c.exercise("LIN")
		switch porcupine.CheckOperationsTimeout(logModel, s.operations(uint64(c.o.Operations)), c.o.Timeout) {
		case porcupine.Illegal:
			c.violate("LIN", Linear, "the first %d messages of %s of app %d, and the reads of them, have no order that all outcomes agree with", c.o.Operations, s.v.name, s.v.app)
		case porcupine.Unknown:
			c.v.Notes = append(c.v.Notes, "porcupine came to no end with "+s.v.name+" in "+c.o.Timeout.String())
		}
	}
}

// operations are those on seqs up to limit or the first hole: a prefix of a
// linearizable log is linearizable. An unknown outcome that is in the log may have happened at any
// time since its send; one that is not there never did.
func (s *sample) operations(limit uint64) (all []porcupine.Operation) {
	for seq := uint64(1); seq <= min(limit, s.v.head()); seq++ {
		m := s.v.entry(seq)
		if m == nil {
			limit = seq - 1
			break
		}
		op := porcupine.Operation{Input: step{true, seq, m}, Call: m.sent, Return: math.MaxInt64}
		if m.acked > 0 {
			op.Input, op.Return = step{true, m.seq, m}, m.acked
		}
		all = append(all, op)
	}
	for _, l := range s.looks {
		if l.head <= limit {
			all = append(all, porcupine.Operation{Input: step{false, l.head, l.newest}, Call: l.call, Return: l.at})
		}
	}
	for i := range all {
		all[i].ClientId = i
	}
	return all
}
