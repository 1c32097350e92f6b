package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"time"

	"github.com/parley-im/parley/auth"
	"github.com/parley-im/parley/config"
	"github.com/parley-im/parley/load"
)

type runCommand struct {
	Target    []string      `required:"" help:"Nodes that run already, with commas between; users are spread over them." placeholder:"URL"`
	App       string        `required:"" help:"The app whose users talk; its limits should not slow them down. ID:SECRET works too, but everybody on the machine sees it." placeholder:"ID:@FILE"`
	Users     int           `default:"1000" help:"Users, in pairs."`
	Scenario  string        `default:"peer" help:"peer: each writes to one other, in a conversation that exists; cold: each message is the first of its conversation; connect: they log in and stay; mixed: of 20 things 16 peer messages, 2 cold ones, a page of history, a lost connection."`
	Rate      int           `help:"Open loop: messages a second, of all together, measured from when they were meant to be sent."`
	Closed    int           `help:"Closed loop: messages that each user has outstanding."`
	Ramp      time.Duration `help:"Time over which users log in; else as fast as they are let."`
	Duration  time.Duration `default:"10s" help:"Length of the talk."`
	Size      int           `default:"200" help:"Bytes of a message."`
	Pids      []int         `help:"Server processes on this machine, whose CPU and memory are measured." placeholder:"PID"`
	Processes int           `default:"1" help:"Processes of this program that share the users: for more sockets than one may have."`
	Storm     int           `help:"Users that lose their connection at once, half way."`
	Deaf      int           `help:"Users that stop reading for the second half."`
	Dir       string        `help:"Directory on the disk to calibrate; the default is the temporary one." type:"existingdir" placeholder:"DIR"`
	JSON      string        `name:"json" help:"File for the result." placeholder:"FILE" type:"path"`
	HTML      string        `name:"html" help:"File for the result as a page." placeholder:"FILE" type:"path"`

	MinRate   float64       `help:"Fail below so many acknowledged messages a second."`
	MaxP99    time.Duration `name:"max-p99" help:"Fail above this p99 of acknowledgements."`
	MaxE2EP99 time.Duration `name:"max-e2e-p99" help:"Fail above this p99 of deliveries."`
	MaxStorm  time.Duration `help:"Fail when the users of the storm take longer to be back."`
}

// Run makes the run. Exit codes: 0 all is well, 1 a promise or a threshold was
// broken or the run failed, 2 used wrongly.
func (c *runCommand) Run(ctx context.Context) error {
	p, err := c.plan()
	if err != nil {
		return usage{err}
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	var r load.Result
	told := load.Lines(os.Stderr)
	if c.Processes == 1 {
		r, err = load.Run(ctx, p, told)
	} else {
		part := func(ctx context.Context) *exec.Cmd { return exec.CommandContext(ctx, self, "part") }
		r, err = load.RunParts(ctx, p, c.Processes, part, told)
	}
	if err != nil {
		return err
	}
	r.Print(os.Stdout)
	if err := write(c.JSON, func(w io.Writer) error { return json.NewEncoder(w).Encode(r) }); err != nil {
		return err
	}
	if err := write(c.HTML, func(w io.Writer) error { return load.WritePage(w, r) }); err != nil {
		return err
	}
	return load.Thresholds{MinRate: c.MinRate, MaxP99: c.MaxP99, MaxE2EP99: c.MaxE2EP99, MaxStorm: c.MaxStorm}.Check(r)
}

// plan checks the flags.
func (c *runCommand) plan() (load.Plan, error) {
	p := load.Plan{
		Targets: c.Target, Users: c.Users, Scenario: load.Scenario(c.Scenario), Rate: c.Rate, Closed: c.Closed, Ramp: c.Ramp, Duration: c.Duration,
		Size: c.Size, PIDs: c.Pids, Storm: c.Storm, Deaf: c.Deaf, Dir: c.Dir, Run: strconv.FormatInt(time.Now().UnixMilli(), 36),
	}
	app, err := config.ParseApp(c.App)
	cfg := config.Config{Apps: []config.App{app}}
	if err == nil {
		err = cfg.ReadSecrets()
	}
	if err != nil {
		return p, fmt.Errorf("--app: %w", err)
	}
	p.App = auth.App{ID: app.ID, Secret: string(cfg.Apps[0].Secret)}
	if c.Processes < 1 {
		return p, fmt.Errorf("--processes must be above 0")
	}
	return p, p.Check()
}

// write writes a file, if it has a name.
func write(name string, content func(io.Writer) error) error {
	if name == "" {
		return nil
	}
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	err = content(f)
	if closed := f.Close(); err == nil {
		err = closed
	}
	return err
}

type compareCommand struct {
	First  string `arg:"" help:"Result of a run." type:"existingfile"`
	Second string `arg:"" help:"Result of another." type:"existingfile"`
}

// Run prints the ratios.
func (c *compareCommand) Run() error {
	first, err := load.ReadResult(c.First)
	if err != nil {
		return err
	}
	second, err := load.ReadResult(c.Second)
	if err != nil {
		return err
	}
	load.Compare(os.Stdout, first, second)
	return nil
}

type partCommand struct{}

// Run is a part of a run of several processes.
func (c *partCommand) Run(ctx context.Context) error { return load.Part(ctx, os.Stdin, os.Stdout) }
