package link

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/proto/peerpb"
	"github.com/parley-im/parley/storage"
)

// helloWithin is how long a connection may take from its dial to the end of
// the handshake.
const helloWithin = 5 * time.Second

// firstByteWithin is how long an accepted connection may say nothing: the dialer
// speaks first, and at once.
const firstByteWithin = time.Second

// ErrRefused says that a node did not want the connection, or the other one's
// answer was not acceptable.
var ErrRefused = errors.New("link: refused")

func refused(format string, args ...any) error {
	return fmt.Errorf("%w: %w", ErrRefused, fmt.Errorf(format, args...))
}

// dial connects to a peer for a purpose. It ends with ctx.
func (l *Link) dial(ctx context.Context, p *peer, purpose peerpb.Purpose) (*conn, error) {
	ctx, cancel := context.WithTimeout(ctx, helloWithin)
	defer cancel()
	addr := p.address()
	raw, err := l.o.Dial(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	c := newConn(raw, &l.stats)
	if err := l.introduce(ctx, c, p.node, addr, purpose); err != nil {
		c.close()
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		return nil, fmt.Errorf("handshake with %s: %w", addr, err)
	}
	return c, nil
}

// introduce is the dialer's side of the handshake.
func (l *Link) introduce(ctx context.Context, c *conn, node storage.NodeID, addr string, purpose peerpb.Purpose) error {
	defer context.AfterFunc(ctx, c.close)()
	if l.o.TLS != nil {
		config := l.o.TLS.Clone()
		if config.ServerName == "" {
			config.ServerName, _, _ = net.SplitHostPort(addr)
		}
		c.use(tls.Client(c.raw, config))
	}
	ours := l.hello(purpose)
	ours.To = string(node)
	if err := c.send(ours); err != nil {
		return err
	}
	theirs, err := c.readHello()
	if errors.Is(err, io.EOF) {
		return refused("the other node hung up without a hello; its log says why")
	}
	if err != nil {
		return err
	}
	if err := l.judge(theirs); err != nil {
		return err
	}
	if theirs.Node != string(node) {
		return refused("it is node %q, not %q", theirs.Node, node)
	}
	verdict := l.verdict(theirs)
	if err := c.send(verdict); err != nil {
		return err
	}
	return l.agree(c, theirs, verdict)
}

// welcome is the accepting side of the handshake: what the connection is for,
// and who it is from.
func (l *Link) welcome(ctx context.Context, c *conn) (*peer, peerpb.Purpose, error) {
	ctx, cancel := context.WithTimeout(ctx, helloWithin)
	defer cancel()
	defer context.AfterFunc(ctx, c.close)()
	silent := time.AfterFunc(firstByteWithin, c.close)
	defer silent.Stop()
	c.raw.first = func() { silent.Stop() }
	if l.o.TLS != nil {
		c.use(tls.Server(c.raw, l.o.TLS))
	}
	theirs, err := c.readHello()
	switch {
	case ctx.Err() != nil:
		return nil, 0, refused("no hello within %s", helloWithin)
	case errors.Is(err, net.ErrClosed):
		return nil, 0, refused("silent for %s", firstByteWithin)
	}
	if err != nil {
		return nil, 0, err
	}
	if err := l.judge(theirs); err != nil {
		// Our hello lets the other side see the reason.
		return nil, 0, errors.Join(err, c.send(l.hello(theirs.Purpose)))
	}
	p, err := l.admit(theirs)
	if err != nil {
		return nil, 0, err
	}
	if err := c.send(l.hello(theirs.Purpose)); err != nil {
		return nil, 0, err
	}
	verdict := l.verdict(theirs)
	if err = l.agree(c, theirs, verdict); err == nil || !verdict.Welcome {
		err = errors.Join(err, c.send(verdict))
	}
	return p, theirs.Purpose, err
}

// verdict says what this node makes of the other's lineage.
func (l *Link) verdict(theirs *peerpb.Hello) *peerpb.Verdict {
	if l.o.Lineage == nil {
		return &peerpb.Verdict{Welcome: true}
	}
	err := l.o.Lineage.Judge(storage.NodeID(theirs.Node), theirs.Lineage)
	if err == nil {
		return &peerpb.Verdict{Welcome: true}
	}
	return &peerpb.Verdict{Reason: reason(err), Outdated: errors.Is(err, storage.ErrOutdated)}
}

// agree ends the handshake: it reads the other side's verdict, also when the own
// one refuses, so that neither is lost in the reset of a closed connection. The
// dialer gives its own before it, the other side after it.
func (l *Link) agree(c *conn, theirs *peerpb.Hello, ours *peerpb.Verdict) error {
	body, err := c.read(maxHello)
	if err != nil && ours.Welcome {
		return err
	}
	verdict := new(peerpb.Verdict)
	if err := verdict.UnmarshalVT(body); err != nil {
		return refused("no verdict: %w", err)
	}
	if verdict.Outdated && l.o.Lineage != nil {
		l.o.Lineage.Outdated(storage.NodeID(theirs.Node), verdict.Reason)
	}
	switch {
	case !ours.Welcome:
		return refused("node %q: %s", theirs.Node, ours.Reason)
	case !verdict.Welcome:
		return refused("by node %q: %s", theirs.Node, verdict.Reason)
	}
	l.greeted(c, theirs)
	return nil
}

// Greet brings a connection to a peer through its handshake and ends it: both
// sides then know each other's lineage.
func (l *Link) Greet(ctx context.Context, node storage.NodeID) error {
	p := l.enter(node)
	if p == nil {
		return ErrUnknownPeer
	}
	defer l.done.Done()
	c, err := l.dial(ctx, p, peerpb.Purpose_PURPOSE_GREETING)
	if err == nil {
		c.close()
	}
	return err
}

// greeted is where the deadlines of the handshake end and those of silence
// begin.
func (l *Link) greeted(c *conn, theirs *peerpb.Hello) {
	c.node, c.origin = storage.NodeID(theirs.Node), theirs.Origin
	c.raw.silence = l.o.Silence
}

func (l *Link) hello(purpose peerpb.Purpose) *peerpb.Hello {
	h := &peerpb.Hello{
		Oldest: l.o.Speaks.Oldest, Newest: l.o.Speaks.Newest, Agreed: l.o.Agreed(), Cluster: l.o.Cluster, Node: string(l.o.Node), Origin: l.o.Origin, Purpose: purpose,
	}
	if l.o.Lineage != nil {
		h.Lineage = l.o.Lineage.Hello()
	}
	return h
}

func (c *conn) readHello() (*peerpb.Hello, error) {
	body, err := c.read(maxHello)
	if err != nil {
		return nil, err
	}
	h := new(peerpb.Hello)
	if err := h.UnmarshalVT(body); err != nil {
		return nil, refused("no hello: %w", err)
	}
	return h, nil
}

// judge checks what both sides check of a hello.
func (l *Link) judge(h *peerpb.Hello) error {
	theirs, agreed := chat.Versions{Oldest: h.Oldest, Newest: h.Newest}, l.o.Agreed()
	switch {
	case !theirs.Meets(l.o.Speaks):
		return refused("node %q speaks %v, this one %v", h.Node, theirs, l.o.Speaks)
	case h.Cluster != l.o.Cluster:
		return refused("node %q is of cluster %q, this one of %q", h.Node, h.Cluster, l.o.Cluster)
	case agreed != 0 && !theirs.Holds(agreed):
		return refused("node %q speaks %v, its cluster version %d", h.Node, theirs, agreed)
	case h.Agreed != 0 && !l.o.Speaks.Holds(h.Agreed):
		return refused("this node speaks %v, the cluster of node %q version %d", l.o.Speaks, h.Node, h.Agreed)
	case h.Node == string(l.o.Node):
		return refused("node %q has the ID of this node; a data directory must not be copied", h.Node)
	case h.To != "" && h.To != string(l.o.Node):
		// Taken in, it would end the connection that the dialer has with this node.
		return refused("node %q looks for node %q here", h.Node, h.To)
	}
	return nil
}

// admit checks what only the accepting side can.
func (l *Link) admit(h *peerpb.Hello) (*peer, error) {
	p := l.peer(storage.NodeID(h.Node))
	switch {
	case p == nil:
		return nil, refused("node %q is not known here", h.Node)
	case h.Purpose == peerpb.Purpose_PURPOSE_MESSAGES && h.Node > string(l.o.Node):
		return nil, refused("node %q dials for messages although its ID is the higher one", h.Node)
	case h.Purpose < peerpb.Purpose_PURPOSE_MESSAGES || h.Purpose > peerpb.Purpose_PURPOSE_GREETING:
		return nil, refused("node %q dials for purpose %d, which is not known here", h.Node, h.Purpose)
	}
	return p, nil
}
