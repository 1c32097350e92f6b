package placement_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/parley-im/parley/cluster/placement"
	"github.com/parley-im/parley/storage"
)

// model is a cluster that does what Next says, in small parts, while its nodes
// come, go, drain, die and are removed.
type model struct {
	*rapid.T
	now     int64
	r       placement.Registry
	members []placement.Member // all that there ever were
	dead    map[storage.NodeID]bool
	since   map[storage.NodeID]int64 // when a dead node was missed first
	shards  []*modelShard
	steps   []placement.Step
}

// modelShard is a shard and, in the middle of a joint change, the voters before
// it.
type modelShard struct {
	placement.Shard
	outgoing []storage.NodeID
}

func newModel(t *rapid.T) *model {
	m := &model{T: t, now: 1, dead: make(map[storage.NodeID]bool), since: make(map[storage.NodeID]int64)}
	m.join()
	m.observe()
	small := rapid.SampledFrom([]int{0, 1, 2}).Draw(t, "small") // none, all, every second
	for s := range rapid.SampledFrom([]int{1, 2, 3, 5, 8, 13, 24, 48}).Draw(t, "shards") {
		m.shards = append(m.shards, &modelShard{Shard: placement.Shard{
			ID: storage.ShardID(s), Leader: name(0), Voters: []storage.NodeID{name(0)}, Small: small > 0 && s%small == 0,
		}})
	}
	return m
}

func (m *model) join() {
	zone := rapid.SampledFrom([]string{"", "", "a", "b", "c"}).Draw(m.T, "zone")
	m.members = append(m.members, placement.Member{ID: name(len(m.members)), Zone: zone})
}

func (m *model) live() (out []placement.Member) {
	for _, n := range m.members {
		if !m.dead[n.ID] {
			out = append(out, n)
		}
	}
	return out
}

// observe measures silences as the driver does.
func (m *model) observe() {
	live, silent := m.live(), make(map[storage.NodeID]time.Duration)
	for _, n := range m.members {
		if !m.dead[n.ID] {
			delete(m.since, n.ID)
		} else if since, ok := m.since[n.ID]; ok {
			silent[n.ID] = time.Duration(m.now-since) * time.Millisecond
		} else {
			m.since[n.ID] = m.now
		}
	}
	m.r.Observe(live, silent)
}

func (m *model) view() placement.View {
	v := placement.View{Registry: m.r, InFlight: m.steps}
	for _, n := range m.live() {
		v.Alive = append(v.Alive, n.ID)
		if n.Leaving {
			v.Leaving = append(v.Leaving, n.ID)
		}
	}
	for _, s := range m.shards {
		s.Joint = s.outgoing != nil
		v.Shards = append(v.Shards, s.Shard)
	}
	return v
}

func (m *model) majority(voters []storage.NodeID) bool {
	live := 0
	for _, n := range voters {
		if !m.dead[n] {
			live++
		}
	}
	return live > len(voters)/2
}

// works says whether a shard can elect and commit.
func (m *model) works(s *modelShard) bool {
	return m.majority(s.Voters) && (s.outgoing == nil || m.majority(s.outgoing))
}

// elect gives leaders to shards that can have one, and takes them from those
// that cannot. What a joint change has begun goes on under any leader.
func (m *model) elect() {
	for _, s := range m.shards {
		if !m.works(s) || m.dead[s.Leader] || !slices.Contains(slices.Concat(s.Voters, s.outgoing), s.Leader) {
			s.Leader = ""
		}
		if s.Leader == "" && m.works(s) {
			live := slices.DeleteFunc(slices.Clone(s.Voters), func(n storage.NodeID) bool { return m.dead[n] })
			s.Leader = rapid.SampledFrom(live).Draw(m.T, "elected")
		}
		if s.Leader != "" && s.outgoing != nil && rapid.Bool().Draw(m.T, "left") {
			s.outgoing = nil
			if !slices.Contains(s.Voters, s.Leader) {
				s.Leader = ""
			}
		}
	}
}

// look has Next begin steps and holds each against what it promises.
func (m *model) look() {
	m.observe()
	for _, s := range placement.Next(m.view()) {
		m.check(s)
		m.steps = append(m.steps, s)
	}
	reshapes, small, transfers, touches := 0, 0, 0, make(map[storage.NodeID]int)
	for _, s := range m.steps {
		if s.To != "" {
			transfers++
			continue
		}
		if s.Small {
			small++
			continue
		}
		reshapes++
		for _, n := range s.Touches {
			touches[n]++
		}
	}
	if reshapes > placement.MaxReshapes || small > placement.MaxSmallReshapes || transfers > placement.MaxTransfers {
		m.Fatalf("%d reshapes, %d of small shards and %d transfers are under way", reshapes, small, transfers)
	}
	for n, count := range touches {
		if count > placement.MaxReshapesPerNode {
			m.Fatalf("%d reshapes keep %s busy", count, n)
		}
	}
}

func (m *model) check(step placement.Step) {
	s := m.shards[step.Shard]
	if step.To == "" && step.Small != s.Small {
		m.Fatalf("step %+v for shard %+v", step, s)
	}
	if s.Leader == "" || s.Leader != step.Leader || s.outgoing != nil || slices.ContainsFunc(m.steps, func(o placement.Step) bool { return o.Shard == step.Shard }) {
		m.Fatalf("step %+v for shard %+v, under way are %+v", step, s, m.steps)
	}
	gets := []storage.NodeID{step.To}
	if step.To == "" {
		gets = slices.Concat(step.Target.Voters, step.Target.Learners)
		gets = slices.DeleteFunc(gets, func(n storage.NodeID) bool { return slices.Contains(s.Voters, n) || slices.Contains(s.Learners, n) })
		if !m.majority(s.Voters) || !m.majority(step.Target.Voters) {
			m.Fatalf("step %+v leaves shard %+v no majority; dead: %v", step, s, m.dead)
		}
		if n := len(step.Target.Voters); n != 1 && n != 3 {
			m.Fatalf("step %+v has %d voters", step, n)
		}
	} else if !slices.Contains(s.Voters, step.To) {
		m.Fatalf("step %+v hands shard %+v to no voter", step, s)
	}
	for _, n := range gets {
		at := slices.IndexFunc(m.members, func(o placement.Member) bool { return o.ID == n })
		if m.dead[n] || m.r.Node(n).State != placement.Active || m.members[at].Leaving {
			m.Fatalf("step %+v gives to %s: dead %v, %+v", step, n, m.dead[n], m.r.Node(n))
		}
	}
}

// advance does a part of the step i, as Host.Reshape would.
func (m *model) advance(i int) {
	step := m.steps[i]
	s := m.shards[step.Shard]
	end := func() { m.steps = slices.Delete(m.steps, i, i+1) }
	if s.Leader != step.Leader || !m.works(s) {
		end()
		return
	}
	if step.To != "" {
		if !m.dead[step.To] {
			s.Leader = step.To
		}
		end()
		return
	}
	if s.outgoing != nil {
		return
	}
	m.reshape(s, step.Target, end)
}

func (m *model) reshape(s *modelShard, t placement.Target, end func()) {
	wanted := slices.Concat(t.Voters, t.Learners)
	missing := slices.DeleteFunc(slices.Clone(wanted), func(n storage.NodeID) bool {
		return slices.Contains(s.Voters, n) || slices.Contains(s.Learners, n)
	})
	stay := slices.DeleteFunc(slices.Clone(s.Voters), func(n storage.NodeID) bool { return !slices.Contains(t.Voters, n) })
	live := slices.DeleteFunc(slices.Clone(stay), func(n storage.NodeID) bool { return m.dead[n] })
	promoted := slices.ContainsFunc(t.Voters, func(n storage.NodeID) bool { return !slices.Contains(s.Voters, n) })
	dead := slices.ContainsFunc(t.Voters, func(n storage.NodeID) bool { return !slices.Contains(s.Voters, n) && m.dead[n] })
	switch {
	case len(missing) > 0:
		s.Learners = slices.DeleteFunc(s.Learners, func(n storage.NodeID) bool { return !slices.Contains(wanted, n) })
		s.Learners = append(s.Learners, missing...)
	case promoted && dead: // it cannot catch up
		end()
	case !slices.Contains(t.Voters, s.Leader) && len(stay) == 0:
		s.outgoing = s.Voters
		s.Voters = append(slices.Clone(t.Voters), s.Leader)
		s.Learners = slices.DeleteFunc(s.Learners, func(n storage.NodeID) bool { return slices.Contains(t.Voters, n) })
	case !slices.Contains(t.Voters, s.Leader):
		if len(live) > 0 {
			s.Leader = live[0]
		}
		end()
	case len(s.Voters) == len(t.Voters) && !promoted && len(s.Learners) == len(t.Learners):
		end()
	default:
		s.outgoing = s.Voters
		s.Voters, s.Learners = slices.Clone(t.Voters), slices.Clone(t.Learners)
	}
}

// disturb has something happen to a node.
func (m *model) disturb() {
	n := &m.members[rapid.IntRange(0, len(m.members)-1).Draw(m.T, "node")]
	switch rapid.IntRange(0, 7).Draw(m.T, "event") {
	case 0:
		if len(m.members) < 7 {
			m.join()
		}
	case 1:
		m.dead[n.ID] = true
	case 2:
		n.Leaving = !n.Leaving
	case 3:
		_ = m.r.Drain(n.ID)
	case 4:
		_ = m.r.Undrain(n.ID)
	case 6: // shards grow
		m.shards[rapid.IntRange(0, len(m.shards)-1).Draw(m.T, "grown")].Small = false
	case 5:
		_ = m.r.Remove(n.ID)
	default:
		delete(m.dead, n.ID)
	}
}

// calm ends the disturbances: of the dead, those that shards need come back,
// the others may stay away until they count as gone.
func (m *model) calm() {
	for i := range m.members {
		n := &m.members[i]
		n.Leaving = false
		needed := slices.ContainsFunc(m.shards, func(s *modelShard) bool {
			return !m.works(s) && slices.Contains(slices.Concat(s.Voters, s.outgoing), n.ID)
		})
		if m.dead[n.ID] && (needed || rapid.Bool().Draw(m.T, "back")) {
			delete(m.dead, n.ID)
		}
	}
	m.observe()
	m.now += placement.SilentFor.Milliseconds() + 1
	m.observe()
}

// converge runs until nothing is left to do.
func (m *model) converge() {
	for range 2000 {
		m.elect()
		m.look()
		idle := len(m.steps) == 0 && !slices.ContainsFunc(m.shards, func(s *modelShard) bool { return s.outgoing != nil || s.Leader == "" })
		if idle {
			return
		}
		for i := len(m.steps) - 1; i >= 0; i-- {
			m.advance(i)
		}
		m.now += 1000
	}
	m.Fatalf("it does not come to rest: under way are %+v", m.steps)
}

// judge holds what came of it against what is desired.
func (m *model) judge() {
	v := m.view()
	desired := placement.Desired(v)
	var open []storage.NodeID
	zones := make(map[string]bool)
	for _, n := range m.r.Nodes {
		if n.State == placement.Active && !m.dead[n.ID] {
			open = append(open, n.ID)
			zones[n.Zone] = true
		}
	}
	waits := false // for a dead node that cannot be spared
	for _, t := range desired {
		waits = waits || slices.ContainsFunc(slices.Concat(t.Voters, t.Learners), func(n storage.NodeID) bool { return m.dead[n] })
	}
	if waits && len(open) >= placement.Replicas {
		m.Fatalf("desired are %+v with %v alive", desired, open)
	}
	if waits || len(open) == 0 {
		return
	}
	for _, s := range v.Shards {
		t := desired[s.ID]
		if fmt.Sprint(sort(s.Voters), sort(s.Learners)) != fmt.Sprint(sort(t.Voters), sort(t.Learners)) || !slices.Contains(open, s.Leader) {
			m.Fatalf("shard %+v, desired is %+v", s, t)
		}
	}
	if len(zones) == 1 {
		led := make(map[storage.NodeID]int)
		for _, s := range v.Shards[1:] {
			led[s.Leader]++
		}
		if g := gap(loads(v), open); g > 1 {
			m.Fatalf("the nodes hold %v", loads(v))
		}
		if g := gap(led, open); g > 1 && len(open) >= placement.Replicas {
			m.Fatalf("the nodes lead %v", led)
		}
	}
}

func sort(nodes []storage.NodeID) []storage.NodeID {
	out := slices.Clone(nodes)
	slices.Sort(out)
	return out
}

func TestWhateverHappensToNodesTheStepsLeadToWhatIsDesired(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := newModel(t)
		for range rapid.IntRange(0, 80).Draw(t, "events") {
			switch rapid.IntRange(0, 5).Draw(t, "what") {
			case 0:
				m.disturb()
			case 1:
				m.elect()
			case 2:
				m.now += rapid.Int64Range(1, placement.SilentFor.Milliseconds()).Draw(t, "pass")
			case 3:
				m.look()
			default:
				if len(m.steps) > 0 {
					m.advance(rapid.IntRange(0, len(m.steps)-1).Draw(t, "step"))
				}
			}
		}
		m.calm()
		m.converge()
		m.judge()
	})
}
