package fault

import (
	"context"
	"fmt"
	"slices"

	"github.com/parley-im/parley/chaos/fleet"
)

// partition cuts a node off from the others, both ways.
func partition(ctx context.Context, m *made) error {
	return m.cut(ctx, func(one, others []*fleet.Node) error {
		if err := m.Fleet.Deafen(one, others); err != nil {
			return err
		}
		return m.Fleet.Deafen(others, one)
	})
}

// deafen has a node hear no other.
func deafen(ctx context.Context, m *made) error {
	return m.cut(ctx, func(one, others []*fleet.Node) error { return m.Fleet.Deafen(one, others) })
}

// mute has no other node hear a node.
func mute(ctx context.Context, m *made) error {
	return m.cut(ctx, func(one, others []*fleet.Node) error { return m.Fleet.Deafen(others, one) })
}

// cut has packets dropped; all cuts end together.
func (m *made) cut(ctx context.Context, drop func(one, others []*fleet.Node) error) error {
	others := slices.DeleteFunc(m.Fleet.Nodes(), func(n *fleet.Node) bool { return n == m.victim })
	m.begin("")
	before, err := m.Fleet.Dropped()
	if err != nil {
		return err
	}
	if err := drop([]*fleet.Node{m.victim}, others); err != nil {
		return err
	}
	var dropped int
	err = seen(ctx, func() bool {
		dropped, err = m.Fleet.Dropped()
		return err == nil && dropped > before
	})
	if err != nil {
		return fmt.Errorf("%w: no packet was dropped", err)
	}
	m.effect("%d packets were dropped", dropped-before)
	if err := wait(ctx, m.hold); err != nil {
		return err
	}
	m.heal()
	return m.Fleet.Heal()
}
