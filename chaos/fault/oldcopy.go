package fault

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/parley-im/parley/storage"
)

// copyLag is how far the others may be behind, in entries of a shard, when a
// node's data goes.
const copyLag = 1000

// restoreOldCopy has a node run on after its data was copied, and puts the copy
// back: the node must end and say why. It comes back as another one.
func restoreOldCopy(ctx context.Context, m *made) error {
	id, err := idOf(ctx, m.victim)
	if err != nil {
		return err
	}
	m.begin("node " + id)
	m.victim.Stop()
	copied, err := m.victim.Copy()
	if err != nil {
		return err
	}
	defer os.RemoveAll(copied)
	if err := start(ctx, m.victim); err != nil {
		return err
	}
	if err := wait(ctx, m.hold); err != nil {
		return err
	}
	if err := m.awaitSpare(ctx); err != nil {
		return err
	}
	m.victim.Kill()
	if err := m.victim.Restore(copied); err != nil {
		return err
	}
	if err := m.isRefused(ctx); err != nil {
		return err
	}
	m.effect("node %s is refused with its older data", id)
	return m.replace(ctx, id, m.victim.Wipe)
}

// awaitSpare waits until the others have what the victim has.
func (m *made) awaitSpare(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, undoTime)
	defer cancel()
	return m.Fleet.AwaitWhole(ctx, copyLag)
}

// isRefused starts the victim and wants it to end with the sentence.
func (m *made) isRefused(ctx context.Context) error {
	if err := m.victim.Launch(); err != nil {
		return err
	}
	if err := seen(ctx, func() bool { return !m.victim.Runs() }); err != nil {
		return fmt.Errorf("%s runs with older data than the cluster knows of it", m.victim.Name)
	}
	m.victim.Kill() // reaps it
	words := m.victim.LastWords()
	if !strings.Contains(words, storage.ErrOutdated.Error()) || !strings.Contains(words, m.victim.Dir) {
		return fmt.Errorf("%s ended with older data, and does not say that it is: %s", m.victim.Name, words)
	}
	return nil
}
