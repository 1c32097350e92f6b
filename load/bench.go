package load

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/parley-im/parley/auth"
)

// Options says what Bench measures.
type Options struct {
	Binary   string // the parley program
	Users    int    // of the closed loop and the rate
	Idle     int    // idle connections for the memory figure
	Rate     int    // messages a second
	Duration time.Duration
	Rounds   int // closed-loop rounds; the median counts
	Body     int // bytes of a message
	Out      io.Writer
}

var benchApp = auth.App{ID: 1, Secret: "parley-load-0123456789abcdefghij"}

// Report is what Bench found. Durations of e2e run from the intended send time
// to the push at the receiver, in the generator's process.
type Report struct {
	FsyncP50, FsyncP99   float64 // ms
	KBPerIdle            float64
	RateP50, RateP99     time.Duration
	RateCPU              float64 // server CPU-s per 100,000 delivered
	Acked                []float64
	LoopCPU              []float64
	Messages             int64
	Refused, Cut, Wrongs int64
}

// Bench starts a node in a temporary directory and measures it. The error tells
// of what kept it from measuring, or of a broken promise: a message lost,
// doubled or out of order.
func Bench(ctx context.Context, o Options) (r Report, err error) {
	dir, err := os.MkdirTemp("", "parley-load-")
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	say := func(format string, args ...any) { fmt.Fprintf(o.Out, format+"\n", args...) }

	if r.FsyncP50, r.FsyncP99, err = calibrateFsync(dir); err != nil {
		return r, err
	}
	say("calibration: fsync of 256 B p50 %.2f ms p99 %.2f ms", r.FsyncP50, r.FsyncP99)
	log, err := os.Create(filepath.Join(dir, "server.log"))
	if err != nil {
		return r, err
	}
	defer log.Close()
	s, err := startServer(ctx, o.Binary, filepath.Join(dir, "data"), fmt.Sprintf("%d:%s", benchApp.ID, benchApp.Secret), log)
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	c := newCrowd(ctx, Plan{Targets: []string{s.url()}, App: benchApp, Users: o.Idle, Scenario: Peer, Rate: o.Rate, Closed: 1, Size: o.Body})
	defer c.close()
	b := &bench{o: o, server: s, crowd: c, report: &r}
	for _, phase := range []func() error{b.idle, b.atRate, b.closedLoop} {
		if err := phase(); err != nil {
			return r, errors.Join(err, context.Cause(c.ctx))
		}
		r.say(say)
	}
	wrong, err := c.verify()
	if err != nil {
		return r, err
	}
	if r.Wrongs = int64(len(wrong)); len(wrong) > 0 {
		return r, fmt.Errorf("%d broken promises, the first: %s: %s", len(wrong), wrong[0].Kind, wrong[0].Text)
	}
	say("checked: %d messages, each known to both sides, in order; %d refused, %d sockets cut", r.Messages, r.Refused, r.Cut)
	return r, nil
}

// bench is a bench under way.
type bench struct {
	o      Options
	server *server
	crowd  *crowd
	report *Report
}

// idle measures what connections cost that say nothing.
func (b *bench) idle() error {
	c := b.crowd
	_, before, err := usage(b.server.pid())
	if err != nil {
		return err
	}
	if err := c.login(0, len(c.users)); err != nil {
		return err
	}
	c.tasks.Go(c.keepAlive)
	if err := pause(c.ctx, idleTime); err != nil {
		return err
	}
	_, after, err := usage(b.server.pid())
	b.report.KBPerIdle = float64(after-before) / 1024 / float64(b.o.Idle)
	c.talkers = c.users[:b.o.Users]
	return err
}

// warm is how long a load goes on before it is measured.
const warm = 2 * time.Second

// atRate measures latency and cost at a fixed rate, open loop.
func (b *bench) atRate() error {
	c := b.crowd
	c.open(time.Now().Add(warm))
	c.e2e.reset(time.Now())
	measured, err := b.cost(func() error {
		c.open(time.Now().Add(b.o.Duration))
		return c.ctx.Err()
	})
	b.report.RateCPU = measured
	l := c.e2e.between(time.Time{}, time.Now())
	b.report.RateP50, b.report.RateP99 = time.Duration(l.P50*float64(time.Millisecond)), time.Duration(l.P99*float64(time.Millisecond))
	return errors.Join(err, c.settle())
}

// closedLoop measures throughput: every user has one message out at all times.
func (b *bench) closedLoop() error {
	c, r := b.crowd, b.report
	end := time.Now().Add(warm + time.Duration(b.o.Rounds)*b.o.Duration + time.Second)
	c.tasks.Go(func() { c.loop(end) })
	if err := pause(c.ctx, warm); err != nil {
		return err
	}
	for range b.o.Rounds {
		begin, acked := time.Now(), c.acked.Load()
		cpu, err := b.cost(func() error { return pause(c.ctx, b.o.Duration) })
		if err != nil {
			return err
		}
		r.Acked = append(r.Acked, float64(c.acked.Load()-acked)/time.Since(begin).Seconds())
		r.LoopCPU = append(r.LoopCPU, cpu)
	}
	if err := pause(c.ctx, time.Until(end)); err != nil {
		return err
	}
	err := c.settle()
	r.Messages, r.Refused, r.Cut = c.acked.Load(), c.refused.Load(), c.reconnects.Load()
	return err
}

// cost is the server's CPU seconds per 100,000 deliveries while something goes on.
func (b *bench) cost(during func() error) (float64, error) {
	cpu, _, err := usage(b.server.pid())
	if err != nil {
		return 0, err
	}
	delivered := b.crowd.delivered.Load()
	if err := during(); err != nil {
		return 0, err
	}
	after, _, err := usage(b.server.pid())
	return (after - cpu).Seconds() / float64(b.crowd.delivered.Load()-delivered) * 100_000, err
}
