package connection

import (
	"time"

	"github.com/parley-im/parley/cluster/directory"
	"github.com/parley-im/parley/proto/actorpb"
	"github.com/parley-im/parley/proto/wirepb"
)

// attachment is how a connection that is in use follows its session to where
// that moves. It is guarded by the connection's mu.
type attachment struct {
	asked  bool      // an Attach is under way
	wanted bool      // another one is due
	since  time.Time // pushes may have been missed since; zero: none were
}

// Reattach has the connection attach to its session again; it may have missed
// pushes for that long. The client sees nothing of it but the pushes.
func (c *Connection) Reattach(missed time.Duration) {
	c.mu.Lock()
	if since := time.Now().Add(-missed); c.attachment.since.IsZero() || since.Before(c.attachment.since) {
		c.attachment.since = since
	}
	c.attachment.wanted = true
	c.mu.Unlock()
	c.attachDue()
}

// attachDue asks the session if that is due and no question is under way. A
// refusal is followed by another question at the next tick.
func (c *Connection) attachDue() {
	c.mu.Lock()
	if c.phase != welcome || !c.attachment.wanted || c.attachment.asked {
		c.mu.Unlock()
		return
	}
	c.attachment.wanted, c.attachment.asked = false, true
	missed := max(time.Since(c.attachment.since).Milliseconds(), 1)
	c.mu.Unlock()
	number, err := c.enter(0, nil, forReattach)
	if err == nil {
		err = c.send(number, directory.SessionOf(c.user), &actorpb.Attach{
			Request: number, AppId: uint32(c.user.App), UserId: c.user.ID, DeviceId: c.device, Resume: true, MissedMs: uint64(missed), Link: c.link,
		})
	}
	if err != nil {
		c.reattachRefused()
	}
}

// reattached ends the question.
func (c *Connection) reattached() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.attachment.asked = false
	if !c.attachment.wanted {
		c.attachment.since = time.Time{}
	}
}

func (c *Connection) reattachRefused() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.attachment.asked, c.attachment.wanted = false, true
}

// Reconnect tells the client to move to another node within a time.
func (c *Connection) Reconnect(within time.Duration) {
	c.reply(0, &wirepb.ServerFrame_Reconnect{Reconnect: &wirepb.Reconnect{AfterMs: uint32(within.Milliseconds())}})
}
