package fault

import (
	"context"
	"fmt"
	"os/exec"
	"strings"

	"github.com/parley-im/parley/chaos/fleet"
)

// upgrade rolls the nodes to another release and back: all but one first, so that
// both releases work together and the cluster must keep to the older one's
// version, then all. If it then agrees on a newer version, there is no way back:
// the older release must be refused, and the nodes stay with the newer one.
func upgrade(ctx context.Context, m *made) error {
	m.begin("all nodes")
	all := m.all()
	if m.stepped {
		return m.refused(ctx)
	}
	before, _, err := m.Fleet.AnyStatus(ctx)
	if err != nil {
		return err
	}
	newest, err := spoken(ctx, m.Parley)
	if err != nil {
		return err
	}
	most := all[:len(all)-1]
	for _, program := range []string{m.Parley, m.Base} {
		if err := m.rollTo(ctx, program, most); err != nil {
			return err
		}
		if s, _, err := m.Fleet.AnyStatus(ctx); err != nil || s.Version != before.Version {
			return fmt.Errorf("the version is %d in place of %d, and %s runs the older release: %v", s.Version, before.Version, all[len(most)].Name, err)
		}
	}
	if err := m.rollTo(ctx, m.Parley, all); err != nil {
		return err
	}
	if newest == before.Version {
		defer m.heal()
		return m.rollTo(ctx, m.Base, all)
	}
	if err := seen(ctx, func() bool { s, _, err := m.Fleet.AnyStatus(ctx); return err == nil && s.Version == newest }); err != nil {
		return fmt.Errorf("all nodes speak version %d, and the cluster stays at %d: %w", newest, before.Version, err)
	}
	m.stepped = true
	return m.refused(ctx)
}

// rollTo starts nodes again, one after the other, with a program, then holds.
func (m *made) rollTo(ctx context.Context, program string, nodes []*fleet.Node) error {
	for _, n := range nodes {
		if !n.Runs() {
			return fmt.Errorf("%s has ended: %s", n.Name, n.LastWords())
		}
		n.Stop()
		n.SetProgram(program)
		if err := start(ctx, n); err != nil {
			return err
		}
		m.effect("%s runs %s", n.Name, program)
	}
	return wait(ctx, m.hold)
}

// spoken is the newest version that a program says it speaks.
func spoken(ctx context.Context, program string) (newest uint32, err error) {
	out, err := exec.CommandContext(ctx, program, "version").Output()
	if err != nil {
		return 0, err
	}
	words := strings.Fields(string(out))
	if _, err = fmt.Sscan(words[len(words)-1], &newest); err != nil {
		err = fmt.Errorf("%s says %q, which does not end in a version: %w", program, out, err)
	}
	return newest, err
}

// refused tries the older release on the victim's folder: it must end by itself and
// say why.
func (m *made) refused(ctx context.Context) error {
	n := m.victim
	n.Stop()
	n.SetProgram(m.Base)
	if err := n.Launch(); err != nil {
		return err
	}
	err := seen(ctx, func() bool { return !n.Runs() })
	if words := n.LastWords(); err != nil || !strings.Contains(words, "the cluster has agreed on version") {
		return fmt.Errorf("%s is to be refused as an older release: %w: %s", n.Name, err, words)
	}
	m.effect("%s is refused as an older release", n.Name)
	m.heal()
	n.SetProgram(m.Parley)
	return start(ctx, n)
}
