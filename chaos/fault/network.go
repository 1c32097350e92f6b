package fault

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/parley-im/parley/chaos/fleet"
)

// partition cuts a node off from the others, both ways.
func partition(ctx context.Context, m *made) error { return m.lose(ctx, 1, true, true) }

// deafen has a node hear no other.
func deafen(ctx context.Context, m *made) error { return m.lose(ctx, 1, true, false) }

// mute has no other node hear a node.
func mute(ctx context.Context, m *made) error { return m.lose(ctx, 1, false, true) }

// loss has 10 to 40 % of the packets between a node and the others not arrive.
func loss(ctx context.Context, m *made) error {
	return m.lose(ctx, 0.1+0.3*m.rng.Float64(), true, true)
}

// others are all nodes but the victim.
func (m *made) others() []*fleet.Node {
	return slices.DeleteFunc(m.Fleet.Nodes(), func(n *fleet.Node) bool { return n == m.victim })
}

// lose has a share of the packets dropped that would arrive at the victim, and
// of those that it sends.
func (m *made) lose(ctx context.Context, share float64, to, from bool) (err error) {
	m.begin(fmt.Sprintf("%.0f %% of the packets", share*100))
	one, others := []*fleet.Node{m.victim}, m.others()
	var cuts []*fleet.Cut
	heal := func() (err error) {
		for _, c := range cuts {
			err = errors.Join(err, c.Heal())
		}
		cuts = nil
		return err
	}
	defer func() { err = errors.Join(err, heal()) }() // whatever happens
	for _, way := range []struct {
		wanted   bool
		at, from []*fleet.Node
	}{{to, one, others}, {from, others, one}} {
		if !way.wanted {
			continue
		}
		do := m.Fleet.Deafen
		if share < 1 {
			do = func(at, from []*fleet.Node) (*fleet.Cut, error) { return m.Fleet.Lose(at, from, share) }
		}
		c, err := do(way.at, way.from)
		if err != nil {
			return err
		}
		cuts = append(cuts, c)
	}
	dropped := func() (all int) {
		for _, c := range cuts {
			n, err := c.Packets()
			if err != nil {
				return 0
			}
			all += n
		}
		return all
	}
	if err := seen(ctx, func() bool { return dropped() > 0 }); err != nil {
		return fmt.Errorf("%w: no packet was dropped", err)
	}
	if err := wait(ctx, m.hold); err != nil {
		return err
	}
	m.effect("%d packets did not get through", dropped())
	m.heal()
	return heal()
}

// reset ends the connections between a node and the others again and again.
func reset(ctx context.Context, m *made) error {
	m.begin("")
	one, others := []*fleet.Node{m.victim}, m.others()
	total, rounds := 0, 0
	for until := time.Now().Add(m.hold); total == 0 || time.Now().Before(until); {
		n, err := m.Fleet.Reset(one, others)
		if err != nil {
			return err
		}
		total += n
		if rounds++; rounds > manyRounds && total == 0 {
			return fmt.Errorf("%w: there was no connection to reset", ErrNoEffect)
		}
		if err := wait(ctx, between(m.rng, 100*time.Millisecond, time.Second)); err != nil {
			return err
		}
	}
	m.effect("%d connections were reset, in %d rounds", total, rounds)
	m.heal() // nothing is left to be undone
	return nil
}

// manyRounds is how often something is tried that has had no effect yet.
const manyRounds = 20

// jitter has packets between a node and the others be late, overtake each other,
// and at times come twice.
func jitter(ctx context.Context, m *made) (err error) {
	j := fleet.Jitter{Least: 5 * time.Millisecond, Most: between(m.rng, 20*time.Millisecond, 150*time.Millisecond), Twice: 0.01 + 0.09*m.rng.Float64()}
	m.begin(fmt.Sprintf("%v to %v late, %.0f %% twice", j.Least, j.Most.Round(time.Millisecond), j.Twice*100))
	d, err := m.Fleet.Delay(m.victim, m.others(), j, m.rng.Uint64())
	if err != nil {
		return err
	}
	healed := false
	defer func() {
		if !healed { // whatever happens
			err = errors.Join(err, d.Heal())
		}
	}()
	if err := seen(ctx, func() bool {
		at, err := d.Delayed()
		return err == nil && at.Overtaken > 0
	}); err != nil {
		return fmt.Errorf("%w: no packet was overtaken", err)
	}
	if err := wait(ctx, m.hold); err != nil {
		return err
	}
	at, err := d.Delayed()
	if err != nil {
		return err
	}
	m.effect("%v", at)
	m.heal()
	healed = true
	return d.Heal()
}
