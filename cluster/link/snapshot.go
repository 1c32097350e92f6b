package link

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"github.com/cespare/xxhash/v2"
	"golang.org/x/time/rate"

	"github.com/parley-im/parley/proto/peerpb"
	"github.com/parley-im/parley/storage"
)

// Outcomes of a snapshot.
var (
	// ErrBusy says that the other node takes no further snapshot for now.
	ErrBusy = errors.New("link: the node is busy with other snapshots")
	// ErrUnknownPeer says that no SetPeer named the node, or that the link is
	// closed.
	ErrUnknownPeer = errors.New("link: the node is not known")
)

const (
	// throttleBurst is what may leave of snapshots at once after a pause.
	throttleBurst = 512 << 10
	// installWithin is how long an installation may take.
	installWithin = time.Minute
)

// SendSnapshot sends head and the rows that next gives, up to its io.EOF, and
// waits until the other node has installed them. It blocks. What next gives is
// read before next is called again, and must be below MaxFrame by some bytes.
// Errors: next's own, ErrBusy, ErrRefused with the other node's reason,
// ErrUnknownPeer, that of ctx, or whatever broke the connection; after the last
// ones the snapshot may still be installed.
func (l *Link) SendSnapshot(ctx context.Context, to storage.NodeID, head *peerpb.Message, next func() ([]byte, error)) error {
	p := l.enter(to)
	if p == nil {
		return ErrUnknownPeer
	}
	defer l.done.Done()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(p.ctx, func() { cancel(errLeft) })()

	select {
	case l.sending <- struct{}{}:
		defer func() { <-l.sending }()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	err := l.sendSnapshot(ctx, p, head, next)
	if err != nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	if err != nil {
		return fmt.Errorf("send a snapshot to %s: %w", to, err)
	}
	l.stats.snapshotsSent.Add(1)
	return nil
}

// enter gives a peer for a call that Close waits for.
func (l *Link) enter(node storage.NodeID) *peer {
	l.mu.Lock()
	defer l.mu.Unlock()
	p := l.peers[node]
	if l.closed || p == nil {
		return nil
	}
	l.done.Add(1)
	return p
}

func (l *Link) sendSnapshot(ctx context.Context, p *peer, head *peerpb.Message, next func() ([]byte, error)) error {
	c, err := l.dial(ctx, p, peerpb.Purpose_PURPOSE_SNAPSHOTS)
	if err != nil {
		return err
	}
	defer context.AfterFunc(ctx, c.close)()
	var beside sync.WaitGroup
	defer beside.Wait()
	defer c.close()
	answer := make(chan error, 1)
	beside.Go(func() {
		answer <- c.awaitInstalled()
		c.close() // stops stream
	})
	beside.Go(func() { c.keepAlive(l.o.PingEvery) })

	if err := l.stream(ctx, c, head, next); err != nil {
		if errors.Is(err, net.ErrClosed) {
			return <-answer // why it was closed
		}
		return err
	}
	select {
	case err := <-answer:
		return err
	case <-time.After(installWithin + helloWithin):
		return errors.New("no answer from the other node")
	}
}

// awaitInstalled reads until the answer.
func (c *conn) awaitInstalled() error {
	body, err := c.next(maxHello)
	if err != nil {
		return err
	}
	var answer peerpb.Installed
	if err := answer.UnmarshalVT(body); err != nil {
		return errors.Join(ErrCorrupt, err)
	}
	switch {
	case answer.Ok:
		return nil
	case answer.Reason == ErrBusy.Error():
		return ErrBusy
	}
	return refused("%s", answer.Reason)
}

// stream sends head, chunks and the last chunk.
func (l *Link) stream(ctx context.Context, c *conn, head *peerpb.Message, next func() ([]byte, error)) error {
	if err := c.send(head); err != nil {
		return err
	}
	sum := xxhash.New()
	chunk := new(peerpb.Chunk)
	for {
		rows, err := next()
		if err == io.EOF {
			chunk.Rows, chunk.Last, chunk.Checksum = nil, true, sum.Sum64()
			return c.send(chunk)
		}
		if err != nil {
			return fmt.Errorf("read the next rows: %w", err)
		}
		if len(rows) == 0 {
			continue
		}
		if err := throttle(ctx, l.limiter, len(rows)); err != nil {
			return err
		}
		chunk.Rows = rows
		_, _ = sum.Write(rows)
		if err := c.send(chunk); err != nil {
			return err
		}
		chunk.Number++
	}
}

// throttle waits until n bytes may leave.
func throttle(ctx context.Context, limiter *rate.Limiter, n int) error {
	for n > 0 {
		part := min(n, limiter.Burst())
		if err := limiter.WaitN(ctx, part); err != nil {
			return err
		}
		n -= part
	}
	return nil
}
