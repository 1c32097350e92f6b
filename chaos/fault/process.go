package fault

import (
	"context"
	"fmt"
	"os"
	"strings"
	"syscall"

	"github.com/parley-im/parley/chaos/fleet"
)

// kill ends a node at once and starts it again after the hold.
func kill(ctx context.Context, m *made) error {
	m.begin("")
	pid := m.victim.PID()
	m.victim.Kill()
	if m.victim.Runs() {
		return ErrNoEffect
	}
	m.effect("process %d is gone", pid)
	return m.comeBack(ctx, m.victim)
}

// comeBack holds, then starts nodes that are down and waits until they serve.
func (m *made) comeBack(ctx context.Context, nodes ...*fleet.Node) error {
	if err := wait(ctx, m.hold); err != nil {
		return err
	}
	m.heal()
	return start(ctx, nodes...)
}

func start(ctx context.Context, nodes ...*fleet.Node) error {
	ctx, cancel := context.WithTimeout(ctx, undoTime)
	defer cancel()
	for _, n := range nodes {
		n.Kill() // reaps one that has ended by itself
		if err := n.Launch(); err != nil {
			return err
		}
	}
	for _, n := range nodes {
		if err := n.AwaitReady(ctx); err != nil {
			return err
		}
	}
	return nil
}

// chooseLeader makes the victim the node that leads most shards, of those that
// are no other fault's.
func (m *made) chooseLeader(ctx context.Context) error {
	s, _, err := m.Fleet.AnyStatus(ctx)
	if err != nil {
		return err
	}
	for {
		most, leader := -1, m.victim
		for _, n := range append(m.running(), m.victim) {
			id, err := idOf(ctx, n)
			if err != nil {
				continue // it is the victim of another fault
			}
			for _, one := range s.Nodes {
				if one.ID == id && one.Leaders > most {
					most, leader = one.Leaders, n
				}
			}
		}
		if m.take(leader) {
			return nil
		}
	}
}

func idOf(ctx context.Context, n *fleet.Node) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, effectTime/10)
	defer cancel()
	s, err := n.Status(ctx)
	return s.Node, err
}

func killLeader(ctx context.Context, m *made) error {
	if err := m.chooseLeader(ctx); err != nil {
		return err
	}
	return kill(ctx, m)
}

// killAll ends all nodes at once.
func killAll(ctx context.Context, m *made) error {
	m.begin("all nodes")
	all := m.all()
	for _, n := range all {
		if err := n.Signal(syscall.SIGKILL); err != nil {
			return err
		}
	}
	for _, n := range all {
		n.Kill()
	}
	m.effect("%d processes are gone", len(all))
	return m.comeBack(ctx, all...)
}

// pause stops a node's process for the hold.
func pause(ctx context.Context, m *made) error {
	m.begin(m.hold.String())
	if err := m.victim.Signal(syscall.SIGSTOP); err != nil {
		return err
	}
	defer func() { _ = m.victim.Signal(syscall.SIGCONT) }() // whatever happens
	if err := seen(ctx, func() bool { return stopped(m.victim.PID()) }); err != nil {
		return err
	}
	m.effect("process %d is stopped", m.victim.PID())
	if err := wait(ctx, m.hold); err != nil {
		return err
	}
	m.heal()
	return m.victim.Signal(syscall.SIGCONT)
}

// stopped reads a process's state: T after its name, which is in brackets.
func stopped(pid int) bool {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	_, state, _ := strings.Cut(string(text), ") ")
	return err == nil && strings.HasPrefix(state, "T")
}

func pauseLeader(ctx context.Context, m *made) error {
	if err := m.chooseLeader(ctx); err != nil {
		return err
	}
	return pause(ctx, m)
}

// restart ends a node in good order.
func restart(ctx context.Context, m *made) error {
	m.begin("")
	pid := m.victim.PID()
	m.victim.Stop()
	m.effect("process %d has ended", pid)
	return m.comeBack(ctx, m.victim)
}

// roll restarts one node after the other.
func roll(ctx context.Context, m *made) error {
	m.begin("all nodes")
	for i, n := range m.all() {
		n.Stop()
		if i == 0 {
			m.effect("%s has ended", n.Name)
		}
		if err := start(ctx, n); err != nil {
			return err
		}
	}
	m.heal()
	return nil
}

// drain has a node give away what it has, and take part again.
func drain(ctx context.Context, m *made) error {
	id, err := idOf(ctx, m.victim)
	if err != nil {
		return err
	}
	m.begin("node " + id)
	if err := m.victim.Administer(ctx, "drain", id); err != nil {
		return err
	}
	if err := seen(ctx, func() bool { return m.state(ctx, id) == "draining" }); err != nil {
		return err
	}
	m.effect("node %s is draining", id)
	if err := wait(ctx, m.hold); err != nil {
		return err
	}
	m.heal()
	if err := m.victim.Administer(ctx, "undrain", id); err != nil {
		return err
	}
	return seen(ctx, func() bool { return m.state(ctx, id) == "active" })
}

// state is a node's in the cluster, empty when nobody knows.
func (m *made) state(ctx context.Context, id string) string {
	s, _, err := m.Fleet.AnyStatus(ctx)
	if err != nil {
		return ""
	}
	for _, n := range s.Nodes {
		if n.ID == id {
			return n.State
		}
	}
	return ""
}

// wipe takes a node's data; it comes back as another node.
func wipe(ctx context.Context, m *made) error {
	id, err := idOf(ctx, m.victim)
	if err != nil {
		return err
	}
	m.begin("node " + id)
	m.victim.Kill()
	return m.replace(ctx, id, func() error { return m.victim.Wipe() })
}

// replace removes a dead node from the cluster and, after the hold, has a fresh
// one join in its place, which is to be another.
func (m *made) replace(ctx context.Context, id string, clear func() error) error {
	if err := m.remove(ctx, id); err != nil {
		return err
	}
	if err := wait(ctx, m.hold); err != nil {
		return err
	}
	if err := clear(); err != nil {
		return err
	}
	if err := start(ctx, m.victim); err != nil {
		return err
	}
	fresh, err := idOf(ctx, m.victim)
	if err != nil {
		return err
	}
	if fresh == id {
		return fmt.Errorf("node %s is back: %w", id, ErrNoEffect)
	}
	m.effect("node %s is replaced by %s", id, fresh)
	m.heal()
	return nil
}

// remove takes a node out of the cluster for good.
func (m *made) remove(ctx context.Context, id string) error {
	_, via, err := m.Fleet.AnyStatus(ctx)
	if err != nil {
		return err
	}
	return via.Administer(ctx, "remove", id)
}

// killForever ends a node that never returns; a new one on other addresses joins.
func killForever(ctx context.Context, m *made) error {
	id, err := idOf(ctx, m.victim)
	if err != nil {
		return err
	}
	m.begin("node " + id)
	m.victim.Kill()
	m.effect("node %s is gone", id)
	if err := m.remove(ctx, id); err != nil {
		return err
	}
	if err := wait(ctx, m.hold); err != nil {
		return err
	}
	m.heal()
	m.Fleet.Retire(m.victim)
	fresh, err := m.Fleet.Add()
	if err != nil {
		return err
	}
	return start(ctx, fresh)
}
