package main

import (
	"context"
	"errors"
	"os"
	"time"

	"github.com/parley-im/parley/load"
)

type benchCommand struct {
	Parley   string        `required:"" help:"The parley program." type:"existingfile"`
	Users    int           `default:"1000" help:"Users that talk, in pairs."`
	Idle     int           `default:"2000" help:"Connections for the memory figure; at least --users."`
	Rate     int           `default:"500" help:"Messages a second for the latency figure."`
	Duration time.Duration `default:"5s" help:"Length of a measurement."`
	Rounds   int           `default:"3" help:"Rounds of the closed loop."`
	Body     int           `default:"200" help:"Bytes of a message."`
}

// Run prints the figures as they come.
func (c *benchCommand) Run(ctx context.Context) error {
	if c.Users < 2 || c.Users%2 != 0 || c.Idle < c.Users || c.Idle%2 != 0 || c.Rate < 1 || c.Rounds < 1 || c.Body < 1 || c.Duration <= 0 {
		return usage{errors.New("--users and --idle must be even, --idle at least --users, and the others above 0")}
	}
	_, err := load.Bench(ctx, load.Options{
		Binary: c.Parley, Users: c.Users, Idle: c.Idle, Rate: c.Rate, Duration: c.Duration, Rounds: c.Rounds, Body: c.Body, Out: os.Stdout,
	})
	return err
}
