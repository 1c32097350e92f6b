package link

import (
	"math/rand/v2"
	"time"

	"github.com/parley-im/parley/proto/peerpb"
)

// Waits between dials, before jitter.
const (
	minBackoff = 20 * time.Millisecond
	maxBackoff = time.Second
)

// dialer connects to a peer of a higher ID.
type dialer struct {
	peer    *peer
	backoff time.Duration // before the next dial, 0 at first
	since   time.Time     // of the last connection
	failing bool          // and it was said
}

// connect gives the next connection, or nil when the peer is left.
func (d *dialer) connect() *conn {
	p := d.peer
	if time.Since(d.since) > maxBackoff {
		d.backoff = 0
	}
	for {
		d.wait()
		if p.ctx.Err() != nil {
			return nil
		}
		c, err := p.l.dial(p.ctx, p, peerpb.Purpose_PURPOSE_MESSAGES)
		if err == nil {
			d.since, d.failing = time.Now(), false
			return c
		}
		d.report(err)
	}
}

// wait lets the next, longer, backoff pass; SetPeer cuts it short.
func (d *dialer) wait() {
	if d.backoff == 0 {
		d.backoff = minBackoff
		return
	}
	timer := time.NewTimer(d.backoff/2 + rand.N(d.backoff/2))
	defer timer.Stop()
	d.backoff = min(2*d.backoff, maxBackoff)
	select {
	case <-timer.C:
	case <-d.peer.wake:
	case <-d.peer.ctx.Done():
	}
}

// report logs the first failure of a row.
func (d *dialer) report(err error) {
	if d.failing || d.peer.ctx.Err() != nil {
		return
	}
	d.failing = true
	d.peer.l.o.Log.Warn("node not reached", "node", d.peer.node, "error", err)
}
