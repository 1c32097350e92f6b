package load

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"time"
)

// gate is where a run waits until all processes that run beside it have come as
// far; nil runs alone.
type gate func(ctx context.Context) error

// Run makes a plan's run, which must have been checked. told, if it is not nil, hears of
// the progress every second. Errors are those of getting in and of the
// generator; broken promises are in the result.
func Run(ctx context.Context, p Plan, told func(Progress)) (Result, error) {
	r, err := run(ctx, p, told, nil)
	if err == nil && r.Storm != nil {
		err = r.Storm.conclude()
	}
	return r, err
}

// run is Run for one of several processes.
func run(ctx context.Context, p Plan, told func(Progress), gate gate) (r Result, err error) {
	r = Result{Started: time.Now().UTC().Truncate(time.Second), Plan: p.summary()}
	if r.Calibration.FsyncP50, r.Calibration.FsyncP99, err = calibrateFsync(p.Dir); err != nil {
		return r, fmt.Errorf("calibrate the disk: %w", err)
	}
	c := newCrowd(ctx, p)
	defer c.close()
	defer watch(told, c.progress)()
	for _, phase := range []func(*Result) error{
		c.arrive, func(*Result) error { return c.acquaint() }, func(*Result) error { return gate.wait(ctx) }, c.converse, c.conclude,
	} {
		if err = phase(&r); err != nil {
			break
		}
	}
	if cause := context.Cause(c.ctx); cause != nil && ctx.Err() == nil {
		err = cause
	}
	return r, err
}

func (g gate) wait(ctx context.Context) error {
	if g == nil {
		return nil
	}
	return g(ctx)
}

func (p *Plan) summary() Summary {
	return Summary{
		Targets: p.Targets, Users: p.Users, Scenario: p.Scenario, Rate: p.Rate, Closed: p.Closed, Size: p.Size, Seconds: p.Duration.Seconds(),
	}
}

// idleTime is how long all users say nothing before memory is looked at.
const idleTime = 2 * time.Second

// arrive logs everybody in.
func (c *crowd) arrive(r *Result) error {
	c.say("logging in")
	_, before, err := usage(c.plan.PIDs...)
	if err != nil {
		return fmt.Errorf("--pids: %w", err)
	}
	if err := c.login(0, len(c.users)); err != nil {
		return err
	}
	c.tasks.Go(c.keepAlive)
	if r.Calibration.EchoP50, r.Calibration.EchoP99, err = c.calibrateEcho(); err != nil {
		return fmt.Errorf("calibrate the way there and back: %w", err)
	}
	if len(c.plan.PIDs) == 0 {
		return nil
	}
	if err := pause(c.ctx, idleTime); err != nil {
		return err
	}
	_, idle, err := usage(c.plan.PIDs...)
	r.Server = &Server{RSSBefore: before, RSSIdle: idle, KBPerUser: float64(idle-before) / 1024 / float64(len(c.users))}
	return err
}

// converse has the users talk for the plan's time. What they said before is not
// counted.
func (c *crowd) converse(r *Result) error {
	c.say("talking")
	begin := time.Now()
	for _, rec := range []*recorder{c.acks, c.e2e, c.untouched} {
		rec.reset(begin)
	}
	c.acked.Store(0)
	c.delivered.Store(0)
	until := begin.Add(c.plan.Duration)
	before, err := c.read()
	if err != nil {
		return err
	}
	var side sync.WaitGroup
	side.Go(func() { c.disturb(r, begin) })
	c.talk(until)
	side.Wait()
	r.Seconds = time.Since(begin).Seconds()
	r.AckedRate = float64(c.acked.Load()) / r.Seconds
	r.Sessions = c.sessions.Load()
	after, err := c.read()
	if r.Server != nil {
		r.Server.CPUSeconds, r.Server.RSSAfter = (after.server - before.server).Seconds(), after.rss
		if n := c.delivered.Load(); n > 0 {
			r.Server.CPUPer100k = r.Server.CPUSeconds / float64(n) * 100_000
		}
	}
	r.Generator = (after.own - before.own).Seconds()
	r.Machine = after.machine.since(before.machine)
	r.Series = series(c.acks, c.e2e)
	return err
}

// reading is what has been used so far.
type reading struct {
	server, own time.Duration // CPU
	rss         int64         // of the server
	machine     Machine
}

func (c *crowd) read() (now reading, err error) {
	var err1, err2, err3 error
	now.server, now.rss, err1 = usage(c.plan.PIDs...)
	now.own, _, err2 = usage(os.Getpid())
	now.machine, err3 = machineTime()
	return now, errors.Join(err1, err2, err3)
}

func (c *crowd) talk(until time.Time) {
	switch {
	case c.plan.Rate > 0:
		c.open(until)
	case c.plan.Closed > 0:
		c.loop(until)
	default:
		_ = pause(c.ctx, time.Until(until))
	}
}

// disturb cuts or silences users half way.
func (c *crowd) disturb(r *Result, begin time.Time) {
	half := begin.Add((c.plan.Duration / 2).Truncate(time.Second)) // as latencies are kept by the second
	if c.plan.Storm+c.plan.Elsewhere+c.plan.Deaf == 0 || pause(c.ctx, time.Until(half)) != nil {
		return
	}
	if n := c.plan.Deaf; n > 0 {
		c.deafen(r, begin, half)
	}
	if c.plan.Storm+c.plan.Elsewhere > 0 {
		c.weather(r, begin, half)
	}
}

// weather cuts the users of the storm, who may all be those of other processes.
func (c *crowd) weather(r *Result, begin, half time.Time) {
	s := Storm{}
	if n := c.plan.Storm; n > 0 {
		c.say("storm: %d sessions are cut", n)
		s = c.cut(n)
	}
	end := begin.Add(c.plan.Duration)
	_ = pause(c.ctx, time.Until(end))
	s.Before = c.untouched.between(begin, half)
	for at := half; at.Before(end); at = at.Add(time.Second) {
		s.After = append(s.After, c.untouched.between(at, at.Add(time.Second)))
	}
	r.Storm = &s
}

// deafen has the last users not read until the end of the talk.
func (c *crowd) deafen(r *Result, begin, half time.Time) {
	c.say("%d clients do not read", c.plan.Deaf)
	d := &Deaf{Users: c.plan.Deaf}
	_, d.RSSBefore, _ = usage(c.plan.PIDs...) // which have been measured before
	deaf := c.users[len(c.users)-c.plan.Deaf:]
	for _, u := range deaf {
		u.deaf.Store(true)
		u.listen(false)
	}
	_ = pause(c.ctx, time.Until(begin.Add(c.plan.Duration)))
	_, d.RSSAfter, _ = usage(c.plan.PIDs...)
	d.Before, d.During = c.untouched.between(begin, half), c.untouched.between(half, time.Now())
	r.Deaf = d
	for _, u := range deaf {
		u.listen(true)
	}
}

// conclude waits for the last answers, checks all conversations, and counts.
func (c *crowd) conclude(r *Result) (err error) {
	c.say("waiting for the last answers")
	if err := c.settle(); err != nil {
		return err
	}
	c.say("checking")
	for _, u := range c.users {
		for _, s := range u.unanswered() {
			s.doubt(s.side(u.n))
			r.Unanswered++
		}
	}
	wrong, err := c.verify()
	if err != nil {
		return err
	}
	r.Checked = true
	for _, s := range c.streams {
		r.Filled += int64(s.filled[0] + s.filled[1])
	}
	r.broke(wrong)
	r.Acked, r.Delivered = c.acked.Load(), c.delivered.Load()
	r.Retried, r.Repeated, r.Reconnects = c.retried.Load(), c.repeated.Load(), c.reconnects.Load()
	c.mu.Lock()
	r.Refused = c.refusals
	c.mu.Unlock()
	for to, from := range map[*Latency]*recorder{&r.Ack: c.acks, &r.EndToEnd: c.e2e, &r.Login: c.logins, &r.Page: c.pages} {
		if *to, err = from.latency(); err != nil {
			return err
		}
	}
	slices.SortFunc(r.Wrong, func(a, b Wrong) int { return len(a.Text) - len(b.Text) })
	return nil
}
