package main

import (
	"os"

	"github.com/parley-im/parley/config"
	"github.com/parley-im/parley/node"
)

// settings are what serve can be told: the flags of config.Config, each also a
// variable, and the file that they override.
type settings struct {
	File  string        `name:"config" help:"YAML file; docs/operations.md lists its keys." placeholder:"FILE" type:"path"`
	App   []string      `help:"Serve an app; may be repeated. ID:SECRET works too, but everybody on the machine sees it." placeholder:"ID:@FILE" sep:"none"`
	Flags config.Config `embed:""` // not a field of type Config: the parser would call its Validate
}

// read lays the flags and the environment over the file.
func (s *settings) read() (config.Config, error) {
	cfg, err := config.Load(s.File)
	if err != nil {
		return cfg, err
	}
	cfg.Override(s.Flags)
	for _, text := range s.App {
		app, err := config.ParseApp(text)
		if err != nil {
			return cfg, err
		}
		cfg.SetApp(app)
	}
	if err := cfg.ReadSecrets(); err != nil {
		return cfg, err
	}
	return cfg, cfg.Validate()
}

type configCommand struct{ settings }

// Run prints what serve would run with.
func (c *configCommand) Run() error {
	cfg, err := c.read()
	if err != nil {
		return usageError{err}
	}
	return cfg.Print(os.Stdout)
}

// nodeApps are the apps as a node wants them.
func nodeApps(cfg config.Config) (all []node.App, err error) {
	for _, a := range cfg.Apps {
		app, err := a.Auth()
		if err != nil {
			return nil, usagef("app %d: %w", a.ID, err)
		}
		all = append(all, node.App{App: app, Limits: a.Limits.Chat()})
	}
	return all, nil
}

// clusterOptions reads what a node needs to meet others.
func clusterOptions(c config.Cluster) (node.ClusterOptions, error) {
	peers, err := c.TLS.Load()
	return node.ClusterOptions{
		PeerAddr: c.PeerAddr, ActorAddr: c.ActorAddr, GossipAddr: c.GossipAddr, Advertise: c.Advertise,
		Join: c.Join, Expect: c.Expect, Zone: c.Zone, TLS: peers, GossipKey: c.Key(),
	}, err
}
