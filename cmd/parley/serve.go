package main

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"reflect"
	"syscall"
	"time"

	"github.com/parley-im/parley/config"
	"github.com/parley-im/parley/node"
	"github.com/parley-im/parley/transport/source"
)

type serveCommand struct{ settings }

// Run serves until the context ends.
func (c *serveCommand) Run(ctx context.Context) error {
	cfg, err := c.read()
	if err != nil {
		return usageError{err}
	}
	level := new(slog.LevelVar)
	level.Set(logLevel(cfg))
	log := logger(cfg, level)
	cluster, err := clusterOptions(cfg.Cluster)
	if err != nil {
		return usageError{err}
	}
	token, err := adminToken(cmp.Or(cfg.AdminTokenFile, filepath.Join(cfg.Data, "admin-token")))
	if err != nil {
		return err
	}
	apps, err := nodeApps(cfg)
	if err != nil {
		return err
	}
	o := node.Options{
		Addr: cfg.Addr, Certificate: cfg.TLS.Cert, Key: cfg.TLS.Key, Data: cfg.Data, Shards: cfg.Shards, Origins: cfg.Origins,
		ClientURL: cfg.ClientURL, PathPrefix: cfg.Prefix(), Admin: cfg.AdminAddr, AdminToken: token, Cluster: cluster, Apps: apps, Log: log,
	}
	o.Proxies, _ = source.Parse(cfg.TrustedProxies) // validated
	warnOfCBC(log, apps)
	return serve(ctx, o, func(n *node.Node) { log.Info("ready", "url", n.URL(), "admin", n.AdminURL()) }, func(n *node.Node) error {
		return c.reload(n, cfg, level, log)
	})
}

// reload reads the settings again and applies what can be changed while the node
// runs: apps, log level, and the certificate.
func (c *serveCommand) reload(n *node.Node, started config.Config, level *slog.LevelVar, log *slog.Logger) error {
	cfg, err := c.read()
	if err != nil {
		return err
	}
	apps, err := nodeApps(cfg)
	if err != nil {
		return err
	}
	if err := n.Reload(apps); err != nil {
		return err
	}
	level.Set(logLevel(cfg))
	warnOfCBC(log, apps)
	cfg.Apps, cfg.LogLevel = started.Apps, started.LogLevel
	if !reflect.DeepEqual(cfg, started) {
		log.Warn("some settings have changed that a running node does not take; restart it")
	}
	return nil
}

func warnOfCBC(log *slog.Logger, apps []node.App) {
	for _, a := range apps {
		if a.AcceptsCBC() {
			log.Warn("an app accepts token04 in CBC form, which has no MAC; see docs/security.md", "app", a.ID, "tokens", a.Tokens)
		}
	}
}

func logLevel(cfg config.Config) (level slog.Level) {
	_ = level.UnmarshalText([]byte(cfg.LogLevel)) // validated
	return level
}

func logger(cfg config.Config, level slog.Leveler) *slog.Logger {
	o := &slog.HandlerOptions{Level: level}
	if cfg.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(os.Stderr, o))
	}
	return slog.New(slog.NewTextHandler(os.Stderr, o))
}

// drainTime bounds how long a node may take to stop.
const drainTime = 10 * time.Second

// serve runs a node until the context ends, then stops it in order. SIGHUP has
// it reload; what cannot be read leaves everything as it was.
func serve(ctx context.Context, o node.Options, ready func(*node.Node), reload func(*node.Node) error) error {
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	defer signal.Stop(hangups)
	raiseHeapFloor()
	n, err := node.Start(ctx, o)
	if err != nil {
		return err
	}
	ready(n)
	for {
		select {
		case <-hangups:
			if err := reload(n); err != nil {
				o.Log.Error("nothing was reloaded", "error", err)
			} else {
				o.Log.Info("reloaded")
			}
		case <-ctx.Done():
			o.Log.Info("shutting down")
			stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTime)
			defer cancel()
			if err := n.Close(stop); err != nil {
				return fmt.Errorf("stop: %w", err)
			}
			return nil
		}
	}
}
