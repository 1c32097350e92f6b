package main

import (
	"cmp"
	"context"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/parley-im/parley/config"
	"github.com/parley-im/parley/node"
)

type serveCommand struct {
	Config string   `help:"YAML file; the README has a minimal one." placeholder:"FILE" type:"path"`
	App    []string `help:"Serve an app, for trials; may be repeated." placeholder:"ID:SECRET" sep:"none"`
	Data   string   `help:"Directory for the data." placeholder:"DIR" type:"path"`
	Addr   string   `help:"Where to listen." placeholder:"HOST:PORT"`
	Admin  string   `help:"Where to serve profiles; a loopback address." placeholder:"HOST:PORT"`

	PeerAddr   string   `help:"Where other nodes' Raft messages and snapshots arrive; the default is a free port on loopback." placeholder:"HOST:PORT"`
	ActorAddr  string   `help:"Where other nodes' actors are heard; the default is the host of --peer-addr and a free port." placeholder:"HOST:PORT"`
	GossipAddr string   `help:"Where nodes find each other." placeholder:"HOST:PORT"`
	Advertise  string   `help:"Host by which others reach this node, when it is not that of the addresses." placeholder:"HOST"`
	Join       []string `help:"Gossip address of another node; may be repeated." placeholder:"HOST:PORT"`
	Expect     int      `help:"How many nodes found the cluster together." placeholder:"N"`
	Zone       string   `help:"Rack or data centre; replicas go to different ones." placeholder:"NAME"`
	Insecure   bool     `help:"Let nodes talk in the clear on a network that you trust."`

	AdminTokenFile string `help:"File with the operators' token; the default is admin-token in --data, made when it is missing." placeholder:"FILE" type:"path"`
}

// Run serves until the context ends.
func (c *serveCommand) Run(ctx context.Context) error {
	cfg, err := c.settings()
	if err != nil {
		return usageError{err}
	}
	log := logger(cfg)
	peers, err := cfg.Cluster.TLS.Load()
	if err != nil {
		return usageError{err}
	}
	token, err := adminToken(cmp.Or(cfg.AdminTokenFile, filepath.Join(cfg.Data, "admin-token")))
	if err != nil {
		return err
	}
	o := node.Options{
		Addr: cfg.Addr, Data: cfg.Data, Shards: cfg.Shards, Origins: cfg.Origins, Admin: c.Admin, AdminToken: token, Log: log,
		Cluster: node.ClusterOptions{
			PeerAddr: cfg.Cluster.PeerAddr, ActorAddr: cfg.Cluster.ActorAddr, GossipAddr: cfg.Cluster.GossipAddr, Advertise: cfg.Cluster.Advertise,
			Join: cfg.Cluster.Join, Expect: cfg.Cluster.Expect, Zone: cfg.Cluster.Zone, TLS: peers, GossipKey: cfg.Cluster.Key(),
		},
	}
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
	for _, s := range []struct {
		flag string
		to   *string
	}{
		{c.Data, &cfg.Data}, {c.Addr, &cfg.Addr}, {c.PeerAddr, &cfg.Cluster.PeerAddr}, {c.ActorAddr, &cfg.Cluster.ActorAddr},
		{c.GossipAddr, &cfg.Cluster.GossipAddr}, {c.Advertise, &cfg.Cluster.Advertise}, {c.Zone, &cfg.Cluster.Zone},
		{c.AdminTokenFile, &cfg.AdminTokenFile},
	} {
		if s.flag != "" {
			*s.to = s.flag
		}
	}
	if len(c.Join) > 0 {
		cfg.Cluster.Join = c.Join
	}
	if c.Expect != 0 {
		cfg.Cluster.Expect = c.Expect
	}
	cfg.Cluster.Insecure = cfg.Cluster.Insecure || c.Insecure
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
