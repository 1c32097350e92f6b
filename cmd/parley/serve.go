package main

import (
	"context"
	"log/slog"
	"os"

	"github.com/parley-im/parley/config"
	"github.com/parley-im/parley/node"
)

type serveCommand struct {
	Config string   `help:"YAML file; the README has a minimal one." placeholder:"FILE" type:"path"`
	App    []string `help:"Serve an app, for trials; may be repeated." placeholder:"ID:SECRET" sep:"none"`
	Data   string   `help:"Directory for the data." placeholder:"DIR" type:"path"`
	Addr   string   `help:"Where to listen." placeholder:"HOST:PORT"`
	Admin  string   `help:"Where to serve profiles; a loopback address." placeholder:"HOST:PORT"`
}

// Run serves until the context ends.
func (c *serveCommand) Run(ctx context.Context) error {
	cfg, err := c.settings()
	if err != nil {
		return usageError{err}
	}
	log := logger(cfg)
	o := node.Options{Addr: cfg.Addr, Data: cfg.Data, Shards: cfg.Shards, Origins: cfg.Origins, Admin: c.Admin, Log: log}
	for _, a := range cfg.Apps {
		app, err := a.Auth()
		if err != nil {
			return usagef("app %d: %w", a.ID, err)
		}
		o.Apps = append(o.Apps, node.App{App: app, Limits: a.Limits.Chat()})
	}
	return serve(ctx, o, func(n *node.Node) { log.Info("ready", "url", n.URL()) })
}

// settings lays the flags over the file and the environment.
func (c *serveCommand) settings() (config.Config, error) {
	cfg, err := config.Load(c.Config, os.LookupEnv)
	if err != nil {
		return cfg, err
	}
	for _, text := range c.App {
		app, err := config.ParseApp(text)
		if err != nil {
			return cfg, err
		}
		cfg.SetApp(app)
	}
	if c.Data != "" {
		cfg.Data = c.Data
	}
	if c.Addr != "" {
		cfg.Addr = c.Addr
	}
	return cfg, cfg.Validate()
}

func logger(cfg config.Config) *slog.Logger {
	level := slog.LevelInfo
	_ = level.UnmarshalText([]byte(cfg.LogLevel)) // validated
	o := &slog.HandlerOptions{Level: level}
	if cfg.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(os.Stderr, o))
	}
	return slog.New(slog.NewTextHandler(os.Stderr, o))
}
