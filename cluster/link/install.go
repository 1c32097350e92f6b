package link

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/cespare/xxhash/v2"

	"github.com/parley-im/parley/proto/peerpb"
)

// Reasons for not installing a snapshot that arrived.
var (
	ErrOrder    = errors.New("link: a snapshot's chunks are not in order")
	ErrChecksum = errors.New("link: a snapshot's rows do not have its checksum")
)

// Sink takes a snapshot's rows in order. Its calls come one after the other;
// Install or Discard is the last one.
type Sink interface {
	// Write takes the next rows, of which nothing is kept.
	Write(rows []byte) error
	// Install says that all rows were written, and waits until the shard is
	// installed or will not be; whatever it gives, nothing is left to discard.
	// It may block until ctx ends: with the link, with the connection as far as
	// that is noticed, or after a minute.
	Install(ctx context.Context) error
	// Discard drops what was written.
	Discard() error
}

// lingering is how long a refused sender may take to hang up. Until then it is
// read, so that the answer is not lost in the reset of a connection that has
// unread bytes.
const lingering = 5 * time.Second

// takeSnapshot receives a snapshot and answers.
func (l *Link) takeSnapshot(c *conn, p *peer) {
	ctx, cancel := context.WithCancel(p.ctx)
	defer cancel()
	defer context.AfterFunc(ctx, c.close)()
	var beside sync.WaitGroup
	defer beside.Wait()
	defer c.close()
	beside.Go(func() {
		c.keepAlive(l.o.PingEvery)
		cancel()
	})

	err := l.receiveSnapshot(ctx, c)
	answer := &peerpb.Installed{Ok: err == nil}
	if err != nil {
		l.o.Log.Warn("snapshot not installed", "from", c.node, "error", err)
		answer.Reason = reason(err)
	} else {
		l.stats.snapshotsReceived.Add(1)
	}
	if c.send(answer) == nil {
		c.linger()
	}
}

// reason is an error's text, within what is read of an answer.
func reason(err error) string {
	if errors.Is(err, ErrBusy) {
		return ErrBusy.Error()
	}
	text := err.Error()
	return strings.ToValidUTF8(text[:min(len(text), maxHello/2)], "")
}

// linger reads until the sender hangs up.
func (c *conn) linger() {
	defer time.AfterFunc(lingering, c.close).Stop()
	for {
		if _, err := c.next(MaxFrame); err != nil {
			return
		}
	}
}

// receiveSnapshot reads head and chunks into the sink that Options.Snapshot
// gives, and installs them.
func (l *Link) receiveSnapshot(ctx context.Context, c *conn) error {
	select {
	case l.receiving <- struct{}{}:
		defer func() { <-l.receiving }()
	default:
		return ErrBusy
	}
	body, err := c.next(MaxFrame)
	if err != nil {
		return err
	}
	head := new(peerpb.Message)
	if err := head.UnmarshalVT(body); err != nil {
		return errors.Join(ErrCorrupt, err)
	}
	sink, err := l.o.Snapshot(c.node, head)
	if err != nil {
		return err
	}
	if err := c.collect(sink); err != nil {
		return errors.Join(err, sink.Discard())
	}
	ctx, cancel := context.WithTimeout(ctx, installWithin)
	defer cancel()
	return sink.Install(ctx)
}

// collect writes all chunks to the sink, checked.
func (c *conn) collect(sink Sink) error {
	sum := xxhash.New()
	chunk := new(peerpb.Chunk)
	for number := uint64(0); ; number++ {
		body, err := c.next(MaxFrame)
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		if err != nil {
			return err
		}
		rows := chunk.Rows[:0]
		chunk.Reset()
		chunk.Rows = rows
		if err := chunk.UnmarshalVT(body); err != nil {
			return errors.Join(ErrCorrupt, err)
		}
		switch {
		case chunk.Number != number:
			return fmt.Errorf("%w: number %d instead of %d", ErrOrder, chunk.Number, number)
		case chunk.Last && chunk.Checksum != sum.Sum64():
			return ErrChecksum
		case chunk.Last:
			return nil
		}
		_, _ = sum.Write(chunk.Rows)
		if err := sink.Write(chunk.Rows); err != nil {
			return err
		}
	}
}
