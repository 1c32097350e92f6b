// Package connection is the local end of one client's socket: it reads frames,
// authenticates, hands requests to the actors they are for and their answers
// back to the client. It is a plain object between two threads of control, the
// socket's reader and whoever answers, and a protoactor Process, so that actors
// address it by PID like any other; as an actor with a mailbox of its own it
// cost 15 % of the throughput. transport/ws owns the socket and its out-buffer.
// Nothing in it blocks.
package connection

import (
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/parley-im/parley/auth"
	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/cluster/ask"
	"github.com/parley-im/parley/cluster/directory"
	"github.com/parley-im/parley/transport/wire"
)

// Close codes, as docs/protocol.md lists them.
const (
	closeNormal     uint16 = 1000
	closeWrongType  uint16 = 1003
	closeMalformed  uint16 = 4400
	closeAuth       uint16 = 4401
	closeHeartbeat  uint16 = 4402
	closeHello      uint16 = 4408
	closeKicked     uint16 = 4409
	closeExpired    uint16 = 4410
	closeOverloaded uint16 = 4429
)

// Bounds of one connection.
const (
	maxHelloBytes = 16 << 10  // the first frame: a token and a profile
	maxInFlight   = 256       // requests that await their answer
	pushLimit     = 256 << 10 // bytes that may wait when a push is added
	replyLimit    = 8 << 20   // bytes that may wait when an answer is added
)

// Socket is what a connection needs of the transport.
type Socket interface {
	// Write enqueues a message, or refuses it when more than limit bytes would
	// wait.
	Write(message []byte, limit int) bool
	Authenticated()
	Close(code uint16, reason string)
}

// Options are what all connections of a node share.
type Options struct {
	System    *actor.ActorSystem
	Directory *directory.Directory
	Verifier  func() *auth.Verifier // apps may change
	Limits    func(chat.AppID) chat.Limits
	Now       func() time.Time
	Log       *slog.Logger
	Node      string
	Timing    Timing
	MaxFrame  int // bytes, told to clients
	Relay     Relay
	Admission *ask.Admission
	Meter     *ask.Meter
	// Servers gives the origins of nodes where clients may go; maybe none.
	Servers func() []string
	count   atomic.Uint64
}

// Relay knows the connections that are in use.
type Relay interface {
	Add(u chat.UserKey, id string, m relayed)
	Remove(u chat.UserKey, id string)
}

// relayed is what a relay asks of a connection; it is relay.Member.
type relayed = interface {
	Reattach(missed time.Duration)
	Reconnect(within time.Duration)
}

// Timing says how patient a connection is.
type Timing struct {
	Hello     time.Duration // until the first frame
	Heartbeat time.Duration // between a client's pings
	Silence   time.Duration // after which a client is gone
}

// DefaultTiming is the timing of the contract.
var DefaultTiming = Timing{Hello: 5 * time.Second, Heartbeat: 10 * time.Second, Silence: 35 * time.Second}

// phase is how far a connection has come.
type phase int

const (
	fresh    phase = iota // waits for hello
	greeting              // hello was read, the session was asked
	welcome               // in use
	gone                  // closing or closed
)

// Connection is one client's end. The fields of the first group never change;
// those of the second are guarded by mu.
type Connection struct {
	o      *Options
	socket Socket
	codec  wire.Codec
	pid    *actor.PID
	born   time.Time

	mu         sync.Mutex
	phase      phase
	user       chat.UserKey
	device     string
	link       uint32       // counts the device's connections
	account    *ask.Account // from hello on
	attachment attachment
	expires    time.Time // the token's end
	warned     bool      // TokenExpiring was said for this token
	lastFrame  time.Time
	requests   requests
	behind     bool // pushes were dropped, and the client not told yet
}

// New makes the connection of a socket and registers it as a process.
func New(o *Options, socket Socket, codec wire.Codec) *Connection {
	now := time.Now()
	c := &Connection{o: o, socket: socket, codec: codec, born: now, lastFrame: now}
	c.pid, _ = o.System.ProcessRegistry.Add(c, fmt.Sprintf("c/%s/%d", o.Node, o.count.Add(1)))
	return c
}

// Closed implements the transport's handler: the socket is gone.
func (c *Connection) Closed() {
	c.mu.Lock()
	attached := c.phase == welcome || c.phase == greeting
	c.phase = gone
	user := c.user
	if c.account != nil {
		c.o.Admission.Close(c.account, c.requests.Len()) // nobody is left to be answered
	}
	c.requests, c.account = requests{}, nil
	c.mu.Unlock()
	if attached {
		c.detach(user)
	}
	c.o.Relay.Remove(user, c.pid.Id)
	c.o.System.ProcessRegistry.Remove(c.pid)
}

// SendSystemMessage implements actor.Process; connections are not watched.
func (c *Connection) SendSystemMessage(*actor.PID, any) {}

// Stop implements actor.Process.
func (c *Connection) Stop(*actor.PID) { c.end(closeNormal, "stopped") }

// end closes the socket once; what was said before is still sent.
func (c *Connection) end(code uint16, reason string) {
	c.mu.Lock()
	attached := c.phase == welcome || c.phase == greeting
	over := c.phase == gone
	c.phase = gone
	user := c.user
	c.mu.Unlock()
	if over {
		return
	}
	if attached {
		c.detach(user)
	}
	c.socket.Close(code, reason)
}
