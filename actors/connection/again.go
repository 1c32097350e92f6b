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

// Again has the connection attach to its session once more; it may have missed
// pushes for that long. The client sees nothing of it but the pushes.
func (c *Connection) Again(missed time.Duration) {
	c.mu.Lock()
	if since := time.Now().Add(-missed); c.again.since.IsZero() || since.Before(c.again.since) {
		c.again.since = since
	}
	c.again.wanted = true
	c.mu.Unlock()
	c.attachDue()
}

// attachDue asks the session if that is due and no question is under way. A
// refusal is followed by another question at the next tick.
func (c *Connection) attachDue() {
	c.mu.Lock()
	if c.phase != welcome || !c.again.wanted || c.again.asked {
		c.mu.Unlock()
		return
	}
	c.again.wanted, c.again.asked = false, true
	missed := max(time.Since(c.again.since).Milliseconds(), 1)
	c.mu.Unlock()
	err := c.o.Directory.Send(directory.SessionOf(c.user), &actorpb.Attach{
		Request: c.helloID, AppId: uint32(c.user.App), UserId: c.user.ID, DeviceId: c.device, Resume: true, MissedMs: uint64(missed),
	}, c.pid)
	if err != nil {
		c.refusedAgain(c.helloID)
	}
}

// attachedAgain takes the session's answer; false when the client is still to be
// welcomed.
func (c *Connection) attachedAgain() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.again.asked {
		return false
	}
	c.again.asked = false
	if !c.again.wanted {
		c.again.since = time.Time{}
	}
	return true
}

// refusedAgain takes a refusal; false when it was none of such a question.
func (c *Connection) refusedAgain(request uint32) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.again.asked || request != c.helloID {
		return false
	}
	c.again.asked, c.again.wanted = false, true
	return true
}

// Reconnect tells the client to move to another node within a time.
func (c *Connection) Reconnect(within time.Duration) {
	c.reply(0, &wirepb.ServerFrame_Reconnect{Reconnect: &wirepb.Reconnect{AfterMs: uint32(within.Milliseconds())}})
}
