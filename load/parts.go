package load

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
)

// A run of several processes: the coordinator gives each its part of the plan as
// a line of JSON, waits until all are ready, lets all talk at once, and puts the
// results together. What a part says are reports, a line of JSON each.

// report is a line of a part; one of its fields is set.
type report struct {
	Progress *Progress `json:"progress,omitempty"`
	Ready    bool      `json:"ready,omitempty"`
	Result   *Result   `json:"result,omitempty"`
	Error    string    `json:"error,omitempty"`
}

// part is a process of the coordinator's.
type part struct {
	cmd   *exec.Cmd
	in    io.WriteCloser
	out   *bufio.Scanner
	ready chan struct{}
	done  chan struct{}

	mu     sync.Mutex
	last   Progress
	result *Result
	err    error
}

// RunParts makes a plan's run with so many processes, each made by command, whose
// standard input and output it takes; the program must call Part.
func RunParts(ctx context.Context, p Plan, processes int, command func(context.Context) *exec.Cmd, told func(Progress)) (Result, error) {
	if p.Users/2 < processes {
		return Result{}, fmt.Errorf("%d users are too few for %d processes", p.Users, processes)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var parts []*part
	for _, share := range p.split(processes) {
		cmd := command(ctx)
		if share.Storm == share.Users {
			if err := standBack(cmd); err != nil {
				return Result{}, err
			}
		}
		one, err := startPart(cmd, share)
		if err != nil {
			return Result{}, err
		}
		parts = append(parts, one)
	}
	defer watch(told, func() Progress { return sum(parts) })()
	for _, one := range parts {
		select {
		case <-one.ready:
		case <-one.done:
			return Result{}, errors.Join(errors.New("a part has ended before all were ready"), one.err)
		}
	}
	for _, one := range parts {
		if _, err := io.WriteString(one.in, "go\n"); err != nil {
			return Result{}, err
		}
	}
	var all []Result
	for _, one := range parts {
		<-one.done
		if one.err != nil {
			return Result{}, one.err
		}
		all = append(all, *one.result)
	}
	return Merge(all)
}

func sum(parts []*part) (all Progress) {
	for _, one := range parts {
		one.mu.Lock()
		p := one.last
		one.mu.Unlock()
		all.Sessions, all.Acked, all.Now = all.Sessions+p.Sessions, all.Acked+p.Acked, p.Now
		all.Outstanding, all.Refused = all.Outstanding+p.Outstanding, all.Refused+p.Refused
	}
	return all
}

// split shares a plan out; the first part measures the server. Users who are
// spared by a storm have the last part for themselves: what the return of the
// others costs the generator is not to delay them.
func (p Plan) split(n int) (parts []Plan) {
	spared := p.Users - p.Storm
	apart := n > 1 && p.Storm/2 >= n-1 && spared > 0
	for i := range n {
		q := p
		switch {
		case !apart:
			q.Users = share(p.Users, i, n)
		case i < n-1:
			q.Users = share(p.Storm, i, n-1)
		default:
			q.Users = spared
		}
		if i > 0 {
			q.PIDs = nil
			q.First = parts[i-1].First + parts[i-1].Users
		}
		before, upTo := q.First-p.First, q.First-p.First+q.Users
		q.Storm = min(q.Users, max(0, p.Storm-before))
		q.Elsewhere = p.Storm - q.Storm
		q.Rate, q.Deaf = p.Rate*upTo/p.Users-p.Rate*before/p.Users, p.Deaf*upTo/p.Users-p.Deaf*before/p.Users
		parts = append(parts, q)
	}
	return parts
}

// standBack has a command leave the processors to others. A process all of whose
// users come back at once keeps the cores of the generator busy for seconds, and
// what the others wait for these would count as the server's time.
func standBack(cmd *exec.Cmd) error {
	nice, err := exec.LookPath("nice")
	if err != nil {
		return fmt.Errorf("a storm of several processes needs the command nice: %w", err)
	}
	cmd.Args = append([]string{nice, "-n", "10", cmd.Path}, cmd.Args[1:]...)
	cmd.Path = nice
	return nil
}

// share is the i-th of n shares of an even number, each an even number.
func share(total, i, n int) int { return 2*(total/2*(i+1)/n) - 2*(total/2*i/n) }

func startPart(cmd *exec.Cmd, p Plan) (*part, error) {
	one := &part{cmd: cmd, ready: make(chan struct{}), done: make(chan struct{})}
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if one.in, err = cmd.StdinPipe(); err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start a part: %w", err)
	}
	one.out = bufio.NewScanner(out)
	one.out.Buffer(nil, 64<<20)
	go one.listen()
	return one, json.NewEncoder(one.in).Encode(p)
}

func (o *part) listen() {
	defer close(o.done)
	for o.out.Scan() {
		var r report
		if err := json.Unmarshal(o.out.Bytes(), &r); err != nil {
			o.err = errors.Join(o.err, fmt.Errorf("a part says what is no report: %w", err))
			continue
		}
		switch {
		case r.Progress != nil:
			o.mu.Lock()
			o.last = *r.Progress
			o.mu.Unlock()
		case r.Ready:
			close(o.ready)
		case r.Result != nil:
			o.result = r.Result
		case r.Error != "":
			o.err = errors.New(r.Error)
		}
	}
	if err := o.cmd.Wait(); o.err == nil && (err != nil || o.result == nil) {
		o.err = fmt.Errorf("a part has ended without a result: %v", err)
	}
}

// Part makes a part's run: what the coordinator starts.
func Part(ctx context.Context, in io.Reader, out io.Writer) error {
	var mu sync.Mutex
	say := func(r report) error {
		mu.Lock()
		defer mu.Unlock()
		return json.NewEncoder(out).Encode(r)
	}
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, 1<<20)
	var p Plan
	if !lines.Scan() || json.Unmarshal(lines.Bytes(), &p) != nil {
		return errors.New("this command is for parley-load itself: its input must be a plan")
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	began := make(chan struct{})
	result, err := run(ctx, p, func(now Progress) { _ = say(report{Progress: &now}) }, func(ctx context.Context) error {
		if err := say(report{Ready: true}); err != nil {
			return err
		}
		go func() {
			defer close(began)
			if !lines.Scan() { // the coordinator has gone
				cancel()
			}
		}()
		select {
		case <-began:
			return ctx.Err()
		case <-ctx.Done():
			return ctx.Err()
		}
	})
	if err != nil {
		return say(report{Error: err.Error()})
	}
	return say(report{Result: &result})
}
