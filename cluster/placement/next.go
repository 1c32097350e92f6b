package placement

import (
	"cmp"
	"slices"

	"github.com/parley-im/parley/storage"
)

// Next gives the steps that may begin in addition to those under way, the most
// urgent first: leaders leave nodes that are to go, then replicas leave them,
// then replicas are evened out, and in the end leaders. It gives nothing when
// the cluster is as desired or can only wait.
//
// A shard is left alone while it has no leader, a change is half done or a step
// is under way. No step needs a node that is not alive, and none begins unless
// live voters have a majority before it and after it.
func Next(v View) []Step {
	p := &plan{View: v, desired: Desired(v), reshapes: make(map[storage.NodeID]int)}
	for _, h := range p.holders() {
		p.open = append(p.open, h.ID)
	}
	for _, f := range v.InFlight {
		p.book(f)
	}
	p.shards = slices.Clone(v.Shards)
	slices.SortFunc(p.shards, func(a, b Shard) int { return cmp.Compare(a.ID, b.ID) })
	p.evacuate()
	p.reshape(true)
	p.reshape(false)
	if p.large+p.small == 0 {
		p.spread()
	}
	return p.steps
}

// plan is the making of one Next.
type plan struct {
	View
	desired map[storage.ShardID]Target
	open    []storage.NodeID // nodes that may hold replicas
	shards  []Shard          // by ID

	busy     []storage.ShardID
	reshapes map[storage.NodeID]int // of large shards under way, by node
	large    int                    // and in all
	small    int                    // reshapes of small shards under way
	handing  int                    // transfers under way
	steps    []Step
}

// book counts a step as under way.
func (p *plan) book(s Step) {
	p.busy = append(p.busy, s.Shard)
	if s.To != "" {
		p.handing++
		return
	}
	if s.Small {
		p.small++
		return
	}
	p.large++
	for _, n := range s.Touches {
		p.reshapes[n]++
	}
}

func (p *plan) begin(s Step) {
	p.book(s)
	p.steps = append(p.steps, s)
}

// ready says whether a shard may be given a step.
func (p *plan) ready(s *Shard) bool {
	return s.Leader != "" && p.alive(s.Leader) && !s.Joint && !slices.Contains(p.busy, s.ID)
}

// stays says whether a node is alive and not about to stop.
func (p *plan) stays(n storage.NodeID) bool { return p.alive(n) && !slices.Contains(p.Leaving, n) }

// mayLead says whether a shard's leadership may be given to a node.
func (p *plan) mayLead(s *Shard, n storage.NodeID) bool {
	return n != s.Leader && slices.Contains(s.Voters, n) && !slices.Contains(s.Behind, n) && slices.Contains(p.open, n) && p.stays(n)
}

// evacuate takes leaderships from nodes that are not to keep them: where the
// replica is to go, and where the process is about to stop.
func (p *plan) evacuate() {
	led := p.led()
	for i := range p.shards {
		s := &p.shards[i]
		t, ok := p.desired[s.ID]
		if !ok || !p.ready(s) || p.handing >= MaxTransfers {
			continue
		}
		if p.stays(s.Leader) && slices.Contains(t.Voters, s.Leader) {
			continue
		}
		to := storage.NodeID("")
		for _, n := range s.Voters {
			if p.mayLead(s, n) && slices.Contains(t.Voters, n) && (to == "" || led[n] < led[to]) {
				to = n
			}
		}
		if to != "" {
			led[to]++
			p.begin(Step{Shard: s.ID, Leader: s.Leader, To: to})
		}
	}
}

// led counts the shards that each node leads, the meta shard aside, as if the
// transfers under way were done.
func (p *plan) led() map[storage.NodeID]int {
	out := make(map[storage.NodeID]int)
	for i := range p.shards {
		if s := &p.shards[i]; s.ID != storage.MetaShard {
			out[p.leader(s)]++
		}
	}
	return out
}

func (p *plan) leader(s *Shard) storage.NodeID {
	for _, f := range slices.Concat(p.InFlight, p.steps) {
		if f.Shard == s.ID && f.To != "" {
			return f.To
		}
	}
	return s.Leader
}

// reshape begins changes of replicas. Urgent are those of shards that have one
// where none may be, or too few voters.
func (p *plan) reshape(urgent bool) {
	for i := range p.shards {
		s := &p.shards[i]
		t, ok := p.desired[s.ID]
		if !ok || !p.ready(s) || s.is(t) || urgent && !p.urgent(s, t) || !p.possible(s, t) || !urgent && !p.whole(s, t) {
			continue
		}
		if step := (Step{Shard: s.ID, Leader: s.Leader, Target: t, Touches: touched(s, t), Small: s.Small}); p.room(step) {
			p.begin(step)
		}
	}
}

// room says whether a change of replicas may begin beside those under way.
func (p *plan) room(s Step) bool {
	if s.Small {
		return p.small < MaxSmallReshapes
	}
	crowded := slices.ContainsFunc(s.Touches, func(n storage.NodeID) bool { return p.reshapes[n] >= MaxReshapesPerNode })
	return p.large < MaxReshapes && !crowded
}

func (p *plan) urgent(s *Shard, t Target) bool {
	out := func(n storage.NodeID) bool { return !slices.Contains(p.open, n) }
	return len(s.Voters) < len(t.Voters) || slices.ContainsFunc(s.Voters, out) || slices.ContainsFunc(s.Learners, out)
}

// possible says whether a change can succeed, and leaves live voters in the
// majority whatever comes of it.
func (p *plan) possible(s *Shard, t Target) bool {
	for _, n := range slices.Concat(t.Voters, t.Learners) {
		if !s.holds(n) && !p.stays(n) {
			return false
		}
	}
	stay := false // a voter before and after
	for _, n := range t.Voters {
		votes := slices.Contains(s.Voters, n)
		if !votes && !p.alive(n) {
			return false
		}
		stay = stay || votes
	}
	if stay && !slices.Contains(t.Voters, s.Leader) { // the leadership goes first, see evacuate
		return false
	}
	return p.majority(s.Voters) && p.majority(t.Voters)
}

// whole says whether all voters that a change leaves where they are live: else
// nothing is moved that could stay.
func (p *plan) whole(s *Shard, t Target) bool {
	return !slices.ContainsFunc(t.Voters, func(n storage.NodeID) bool { return !p.alive(n) })
}

func (p *plan) majority(voters []storage.NodeID) bool {
	live := 0
	for _, n := range voters {
		if p.alive(n) {
			live++
		}
	}
	return live > len(voters)/2
}

// touched are the nodes that send or get a shard's contents in a change, or
// lose them.
func touched(s *Shard, t Target) []storage.NodeID {
	out := []storage.NodeID{s.Leader}
	for _, n := range slices.Concat(t.Voters, t.Learners) {
		if !s.holds(n) {
			out = append(out, n)
		}
	}
	for _, n := range slices.Concat(s.Voters, s.Learners) {
		if !slices.Contains(t.Voters, n) && !slices.Contains(t.Learners, n) {
			out = append(out, n)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}
