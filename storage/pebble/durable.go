package pebble

import (
	"sync"

	"github.com/cockroachdb/pebble/v2"
)

// durable is what views read: the database as the last finished commit left
// it. Pebble itself shows a batch to readers as soon as it is in memory, while
// its fsync is still under way; who read that and then lost power would have
// seen a message whose seq another message gets.
type durable struct {
	mu  sync.Mutex
	now *snapshot
}

// snapshot is one such state, kept open by the views on it and by being the
// newest.
type snapshot struct {
	*pebble.Snapshot
	holders int
}

// advance makes the database as it is now the newest state: all of it must be
// durable.
func (d *durable) advance(db *pebble.DB) error {
	s := &snapshot{Snapshot: db.NewSnapshot(), holders: 1}
	d.mu.Lock()
	old := d.now
	d.now = s
	d.mu.Unlock()
	if old == nil {
		return nil
	}
	return d.release(old)
}

// hold gives the newest state until release.
func (d *durable) hold() *snapshot {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.now.holders++
	return d.now
}

func (d *durable) release(s *snapshot) error {
	d.mu.Lock()
	s.holders--
	last := s.holders == 0
	d.mu.Unlock()
	if !last {
		return nil
	}
	return s.Close()
}
