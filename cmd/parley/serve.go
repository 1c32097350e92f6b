package main

import (
	"cmp"
	"context"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/parley-im/parley/config"
	"github.com/parley-im/parley/node"
	"github.com/parley-im/parley/transport/source"
)

// clusterFlags say how a node meets others.
type clusterFlags struct {
	PeerAddr   string   `help:"Where other nodes' Raft messages and snapshots arrive; the default is a free port on loopback." placeholder:"HOST:PORT"`
	ActorAddr  string   `help:"Where other nodes' actors are heard; the default is the host of --peer-addr and a free port." placeholder:"HOST:PORT"`
	GossipAddr string   `help:"Where nodes find each other." placeholder:"HOST:PORT"`
	Advertise  string   `help:"Host by which others reach this node, when it is not that of the addresses." placeholder:"HOST"`
	Join       []string `help:"Gossip address of another node; may be repeated." placeholder:"HOST:PORT"`
	Expect     int      `help:"How many nodes found the cluster together." placeholder:"N"`
	Zone       string   `help:"Rack or data centre; replicas go to different ones." placeholder:"NAME"`
	Insecure   bool     `help:"Let nodes talk in the clear on a network that you trust."`
}

type serveCommand struct {
	Config string   `help:"YAML file; the README has a minimal one." placeholder:"FILE" type:"path"`
	App    []string `help:"Serve an app, for trials; may be repeated." placeholder:"ID:SECRET" sep:"none"`
	Data   string   `help:"Directory for the data." placeholder:"DIR" type:"path"`
	Addr   string   `help:"Where to listen." placeholder:"HOST:PORT"`
	Admin  string   `name:"admin-addr" help:"Where operators reach the node: the cluster, metrics, profiles." default:"127.0.0.1:7700" placeholder:"HOST:PORT"`

	ClientURL string `help:"Origin by which clients reach this node; clients of other nodes are told." placeholder:"URL"`
	clusterFlags

	AdminTokenFile string `help:"File with the operators' token; the default is admin-token in --data, made when it is missing." placeholder:"FILE" type:"path"`
}

// Run serves until the context ends.
func (c *serveCommand) Run(ctx context.Context) error {
	cfg, err := c.settings()
	if err != nil {
		return usageError{err}
	}
	log := logger(cfg)
	cluster, err := clusterOptions(cfg.Cluster)
	if err != nil {
		return usageError{err}
	}
	token, err := adminToken(cmp.Or(cfg.AdminTokenFile, filepath.Join(cfg.Data, "admin-token")))
	if err != nil {
		return err
	}
	o := node.Options{
		Addr: cfg.Addr, Data: cfg.Data, Shards: cfg.Shards, Origins: cfg.Origins, Admin: c.Admin, AdminToken: token, Log: log,
		ClientURL: cfg.ClientURL, Cluster: cluster,
	}
	o.Proxies, _ = source.Parse(cfg.TrustedProxies) // validated
	for _, a := range cfg.Apps {
		app, err := a.Auth()
		if err != nil {
			return usagef("app %d: %w", a.ID, err)
		}
		if app.AcceptsCBC() {
			log.Warn("an app accepts token04 in CBC form, which has no MAC; see docs/security.md", "app", app.ID, "tokens", app.Tokens)
		}
		o.Apps = append(o.Apps, node.App{App: app, Limits: a.Limits.Chat()})
	}
	return serve(ctx, o, func(n *node.Node) { log.Info("ready", "url", n.URL(), "admin", n.AdminURL()) })
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
	for _, s := range []setting{{c.Data, &cfg.Data}, {c.Addr, &cfg.Addr}, {c.ClientURL, &cfg.ClientURL}, {c.AdminTokenFile, &cfg.AdminTokenFile}} {
		s.apply()
	}
	c.clusterFlags.apply(&cfg.Cluster)
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

// setting is a flag that wins over what the file says, unless it is empty.
type setting struct {
	flag string
	to   *string
}

func (s setting) apply() {
	if s.flag != "" {
		*s.to = s.flag
	}
}

func (f clusterFlags) apply(c *config.Cluster) {
	for _, s := range []setting{
		{f.PeerAddr, &c.PeerAddr}, {f.ActorAddr, &c.ActorAddr}, {f.GossipAddr, &c.GossipAddr}, {f.Advertise, &c.Advertise}, {f.Zone, &c.Zone},
	} {
		s.apply()
	}
	if len(f.Join) > 0 {
		c.Join = f.Join
	}
	if f.Expect != 0 {
		c.Expect = f.Expect
	}
	c.Insecure = c.Insecure || f.Insecure
}

// clusterOptions reads what a node needs to meet others.
func clusterOptions(c config.Cluster) (node.ClusterOptions, error) {
	peers, err := c.TLS.Load()
	return node.ClusterOptions{
		PeerAddr: c.PeerAddr, ActorAddr: c.ActorAddr, GossipAddr: c.GossipAddr, Advertise: c.Advertise,
		Join: c.Join, Expect: c.Expect, Zone: c.Zone, TLS: peers, GossipKey: c.Key(),
	}, err
}
