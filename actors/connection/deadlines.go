package connection

import (
	"time"

	"github.com/parley-im/parley/proto/wirepb"
)

// expiryNotice is how long before its end a token is announced as expiring.
const expiryNotice = 30 * time.Second

// crowdedHello is how long hello may take while many sockets wait for one.
const crowdedHello = time.Second

// Tick implements the transport's handler: the deadlines of hello, heartbeat
// and token. Only the token's goes by the server's clock, which may be set.
func (c *Connection) Tick(crowded bool) {
	hello := c.o.Timing.Hello
	if crowded {
		hello = min(hello, crowdedHello)
	}
	c.mu.Lock()
	at, silent, left := c.phase, time.Since(c.lastFrame), c.expires.Sub(c.o.Now())
	notify := at == welcome && left <= expiryNotice && !c.warned
	if notify {
		c.warned = true
	}
	c.mu.Unlock()
	c.attachDue()
	c.expire(time.Now())
	switch {
	case at == fresh && time.Since(c.born) > hello:
		c.end(closeHello, "no hello in time")
	case silent > c.o.Timing.Silence:
		c.end(closeHeartbeat, "no heartbeat")
	case at != welcome:
	case left <= 0:
		c.reply(0, &wirepb.ServerFrame_Kicked{Kicked: &wirepb.Kicked{Reason: wirepb.Kicked_REASON_TOKEN_EXPIRED}})
		c.end(closeExpired, "the token has expired")
	case notify:
		seconds := uint32((left + time.Second - 1) / time.Second)
		c.reply(0, &wirepb.ServerFrame_TokenExpiring{TokenExpiring: &wirepb.TokenExpiring{Seconds: seconds}})
	}
}
