package fault

import (
	"context"
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// flip turns a bit in a file of a node that is down.
func flip(ctx context.Context, m *made) error {
	return m.damage(ctx, func(name string, data []byte, at int) error {
		data[at] ^= 1 << m.rng.IntN(8)
		return os.WriteFile(name, data, 0o600)
	})
}

// truncate cuts a file of a node that is down.
func truncate(ctx context.Context, m *made) error {
	return m.damage(ctx, func(name string, _ []byte, at int) error { return os.Truncate(name, int64(at)) })
}

// damage kills a node, damages its largest table or, if it has none, its largest
// log, starts it with that for the hold, and replaces it. The effect is what
// verify says.
func (m *made) damage(ctx context.Context, do func(name string, data []byte, at int) error) error {
	id, err := idOf(ctx, m.victim)
	if err != nil {
		return err
	}
	m.begin("node " + id)
	m.victim.Kill()
	name, data, written, err := m.largest()
	if err != nil {
		return err
	}
	at := written/4 + m.rng.IntN(written/2)
	if err := do(name, data, at); err != nil {
		return err
	}
	verdict, verifying := exec.CommandContext(ctx, m.Parley, "verify", "--data", m.victim.Dir).CombinedOutput()
	words := fmt.Sprintf("byte %d of %d of %s", at, written, filepath.Base(name))
	if verifying != nil {
		m.effect("%s: %s", words, lastLine(verdict))
	}
	if err := m.victim.Launch(); err != nil { // it may end, and may not lie
		return err
	}
	if err := wait(ctx, m.hold); err != nil {
		return err
	}
	m.heal()
	m.victim.Kill()
	if err := m.remove(ctx, id); err != nil {
		return err
	}
	if err := m.victim.Wipe(); err != nil {
		return err
	}
	if err := start(ctx, m.victim); err != nil || verifying != nil {
		return err
	}
	return fmt.Errorf("%w: %s: verify finds nothing", ErrNoEffect, words)
}

func lastLine(text []byte) string {
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	return lines[len(lines)-1]
}

// largest is the largest table or log of the victim, and how much of it was
// written: logs are allocated ahead.
func (m *made) largest() (name string, data []byte, written int, err error) {
	dir := filepath.Join(m.victim.Dir, "store")
	notes, err := os.ReadFile(filepath.Join(dir, "synced"))
	if err != nil {
		return "", nil, 0, err
	}
	for _, suffix := range []string{".sst", ".log"} {
		all, err := filepath.Glob(filepath.Join(dir, "*"+suffix))
		if err != nil {
			return "", nil, 0, err
		}
		for _, one := range all {
			text, err := os.ReadFile(one)
			if err != nil {
				return "", nil, 0, err
			}
			end := len(text)
			if suffix == ".log" { // after what was synced is room, and what an earlier log has left there
				end = min(end, synced(notes, filepath.Base(one)))
			}
			if end > written {
				name, data, written = one, text, end
			}
		}
		if written > 1000 {
			return name, data, written, nil
		}
	}
	return "", nil, 0, fmt.Errorf("%s has no file to damage", m.victim.Name)
}

// synced is up to where a log was synced, by the store's notes: for each log its
// number, the offset and a checksum, of eight bytes each.
func synced(notes []byte, log string) int {
	var number uint64
	_, _ = fmt.Sscanf(log, "%d.log", &number)
	for ; len(notes) >= 24; notes = notes[24:] {
		if binary.BigEndian.Uint64(notes) == number {
			return int(binary.BigEndian.Uint64(notes[8:]))
		}
	}
	return 0
}

// syncCalls are how files are synced.
const syncCalls = "fsync,fdatasync"

// fsyncError has every sync fail, which must end the node.
func fsyncError(ctx context.Context, m *made) error {
	m.begin("")
	i, err := m.victim.Inject(syncCalls, "error=EIO")
	if err != nil {
		return err
	}
	line, err := i.Await(ctx)
	if err == nil {
		err = seen(ctx, func() bool { return !m.victim.Runs() })
	}
	if err != nil {
		_ = i.End()
		return fmt.Errorf("%w: %w", ErrNoEffect, err)
	}
	m.effect("%s; the process has ended", line)
	if err := i.End(); err != nil {
		return err
	}
	return m.comeBack(ctx, m.victim)
}

// fsyncSlow has every sync take a time between 50 ms and a second.
func fsyncSlow(ctx context.Context, m *made) error {
	delay := 50*time.Millisecond + time.Duration(m.rng.Int64N(int64(950*time.Millisecond)))
	m.begin(delay.String())
	i, err := m.victim.Inject(syncCalls, fmt.Sprintf("delay_enter=%d", delay.Microseconds()))
	if err != nil {
		return err
	}
	soon, cancel := context.WithTimeout(ctx, effectTime)
	defer cancel()
	line, err := i.Await(soon)
	if err != nil {
		_ = i.End()
		return fmt.Errorf("%w: %w", ErrNoEffect, err)
	}
	m.effect("%s", line)
	if err := wait(ctx, m.hold); err != nil {
		return err
	}
	m.heal()
	return i.End()
}

// diskFull restarts a node and takes all room from it, which must end it. It is
// started again because the log of one that runs is allocated ahead.
func diskFull(ctx context.Context, m *made) error {
	m.begin("")
	m.victim.Stop()
	if err := m.victim.Launch(); err != nil {
		return err
	}
	var filling error
	ended := seen(ctx, func() bool {
		filling = m.victim.FillDisk()
		return filling != nil || !m.victim.Runs()
	})
	if filling != nil {
		return filling
	}
	if ended == nil {
		m.effect("the process has ended")
		if err := wait(ctx, m.hold); err != nil {
			return err
		}
	}
	m.heal()
	m.victim.Kill()
	if err := m.victim.FreeDisk(); err != nil {
		return err
	}
	if err := start(ctx, m.victim); err != nil {
		return err
	}
	return ended
}

// powerCut takes what a node had not synced.
func powerCut(ctx context.Context, m *made) error {
	m.begin("")
	if err := m.victim.CutPower(); err != nil {
		return err
	}
	m.effect("the file system was cut off and mounted again")
	return m.comeBack(ctx, m.victim)
}

// powerCutAll takes what all nodes had not synced.
func powerCutAll(ctx context.Context, m *made) error {
	m.begin("all nodes")
	all := m.all()
	cuts := make(chan error)
	for _, n := range all {
		go func() { cuts <- n.CutPower() }()
	}
	var failed []error
	for range all {
		if err := <-cuts; err != nil {
			failed = append(failed, err)
		}
	}
	if len(failed) > 0 {
		return failed[0]
	}
	m.effect("%d file systems were cut off and mounted again", len(all))
	return m.comeBack(ctx, all...)
}
