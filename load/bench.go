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
	FsyncP50, FsyncP99   time.Duration
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
	say("calibration: fsync of 256 B p50 %v p99 %v", r.FsyncP50, r.FsyncP99)
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
	f := newFleet(o.Body)
	defer f.close()
	for _, phase := range []func(context.Context, Options, *server, *fleet, *Report) error{idle, atRate, closedLoop} {
		if err := phase(ctx, o, s, f, &r); err != nil {
			return r, err
		}
		r.say(say)
	}
	if wrong := f.check(); len(wrong) > 0 {
		r.Wrongs = int64(len(wrong))
		return r, fmt.Errorf("%d broken promises, the first: %s", len(wrong), wrong[0])
	}
	say("checked: %d messages, each seen once by both sides, in order; %d refused, %d sockets cut", r.Messages, r.Refused, r.Cut)
	return r, nil
}

// idle measures what connections cost that say nothing.
func idle(ctx context.Context, o Options, s *server, f *fleet, r *Report) error {
	before, err := s.rss()
	if err != nil {
		return err
	}
	if err := f.grow(ctx, s.url(), benchApp, o.Idle); err != nil {
		return err
	}
	if err := pause(ctx, 2*time.Second); err != nil {
		return err
	}
	after, err := s.rss()
	r.KBPerIdle = float64(after-before) / 1024 / float64(o.Idle)
	return err
}

// atRate measures latency and cost at a fixed rate, open loop.
func atRate(ctx context.Context, o Options, s *server, f *fleet, r *Report) error {
	send := func(from, to int) error {
		begin := time.Now()
		for i := from; i < to; i++ {
			at := begin.Add(time.Duration(i-from) * time.Second / time.Duration(o.Rate))
			if err := pause(ctx, time.Until(at)); err != nil {
				return err
			}
			if err := f.users[i%o.Users].send(at); err != nil {
				return err
			}
		}
		return nil
	}
	warm, all := 2*o.Rate, 2*o.Rate+int(o.Duration.Seconds()*float64(o.Rate))
	if err := send(0, warm); err != nil {
		return err
	}
	f.mu.Lock()
	f.latency.Reset()
	f.mu.Unlock()
	cpu, err := s.cpu()
	if err != nil {
		return err
	}
	delivered := f.delivered.Load()
	if err := send(warm, all); err != nil {
		return err
	}
	after, err := s.cpu()
	r.RateCPU = (after - cpu).Seconds() / float64(f.delivered.Load()-delivered) * 100_000
	f.mu.Lock()
	r.RateP50 = time.Duration(f.latency.ValueAtQuantile(50)) * time.Microsecond
	r.RateP99 = time.Duration(f.latency.ValueAtQuantile(99)) * time.Microsecond
	f.mu.Unlock()
	return errors.Join(err, f.settle(ctx))
}

// closedLoop measures throughput: every user has one message out at all times.
func closedLoop(ctx context.Context, o Options, s *server, f *fleet, r *Report) error {
	f.closedLoop.Store(true)
	for _, u := range f.users[:o.Users] {
		if err := u.send(time.Now()); err != nil {
			return err
		}
	}
	if err := pause(ctx, 2*time.Second); err != nil {
		return err
	}
	for range o.Rounds {
		cpu, err := s.cpu()
		if err != nil {
			return err
		}
		begin, acked, delivered := time.Now(), f.acked.Load(), f.delivered.Load()
		if err := pause(ctx, o.Duration); err != nil {
			return err
		}
		after, err := s.cpu()
		if err != nil {
			return err
		}
		r.Acked = append(r.Acked, float64(f.acked.Load()-acked)/time.Since(begin).Seconds())
		r.LoopCPU = append(r.LoopCPU, (after-cpu).Seconds()/float64(f.delivered.Load()-delivered)*100_000)
	}
	f.closedLoop.Store(false)
	err := f.settle(ctx)
	r.Messages, r.Refused, r.Cut = f.acked.Load(), f.refused.Load(), f.cut.Load()
	return err
}

// settle waits until nothing arrives any more.
func (f *fleet) settle(ctx context.Context) error {
	for last := int64(-1); last != f.acked.Load()+f.delivered.Load(); {
		last = f.acked.Load() + f.delivered.Load()
		if err := pause(ctx, time.Second); err != nil {
			return err
		}
	}
	return nil
}

func pause(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
