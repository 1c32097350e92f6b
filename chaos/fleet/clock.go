package fleet

import (
	"context"
	"os"
	"path/filepath"
	"time"
)

// clockFile tells the node's process by how much its clock is off.
func (n *Node) clockFile() string { return filepath.Join(n.f.o.Dir, n.Name+".clock") }

// SetClock has the node's wall clock be ahead of this machine's, or behind, from
// now on and over restarts. It needs a binary with failpoints, which notices
// within failpoint.ClockDelay; others do not care.
func (n *Node) SetClock(ahead time.Duration) error {
	next := n.clockFile() + ".next"
	if err := os.WriteFile(next, []byte(ahead.String()), 0o600); err != nil {
		return err
	}
	return os.Rename(next, n.clockFile())
}

// ClockAhead asks the node for the time, and says by how much its clock is ahead
// at least and at most.
func (n *Node) ClockAhead(ctx context.Context) (least, most time.Duration, err error) {
	asked := time.Now()
	s, err := n.Status(ctx)
	if err != nil {
		return 0, 0, err
	}
	said, got := time.UnixMilli(s.TimeMs), time.Now()
	return said.Sub(got), said.Add(time.Millisecond).Sub(asked), nil // it said whole milliseconds
}
