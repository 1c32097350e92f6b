package main

import "context"

type serveCommand struct {
}

// Run serves until the context ends.
func (c *serveCommand) Run(ctx context.Context) error {
	return nil
}
