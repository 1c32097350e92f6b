package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/parley-im/parley/auth"
	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/node"
)

// devApp is the only app of `parley dev`.
const devApp chat.AppID = 1

type devCommand struct {
	Addr  string `help:"Where to listen; a loopback address." default:"127.0.0.1:8080" placeholder:"HOST:PORT"`
	Data  string `help:"Directory for the data." default:"./data" type:"path"`
	Admin string `help:"Where to serve profiles; a loopback address." placeholder:"HOST:PORT"`
}

// Run serves until the context ends.
func (c *devCommand) Run(ctx context.Context) error {
	if err := checkLoopback(c.Addr); err != nil {
		return err
	}
	secret, err := devSecret(c.Data)
	if err != nil {
		return err
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelInfo}))
	return serve(ctx, node.Options{
		Addr: c.Addr, Data: c.Data, Admin: c.Admin, Demo: true, LoopbackOrigins: true, Log: log,
		Apps: []node.App{{App: auth.App{ID: devApp, Secret: secret}, Limits: chat.DefaultLimits()}},
	}, func(n *node.Node) {
		fmt.Printf("Parley is ready at %s\nOpen it in two windows and sign in as two of the demo users. Ctrl-C ends it; the data stays in %s.\n", n.URL(), c.Data)
	})
}

// checkLoopback refuses to hand out tokens to a network.
func checkLoopback(addr string) error {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return usagef("--addr %q is not HOST:PORT", addr)
	}
	if ip := net.ParseIP(host); host == "localhost" || ip != nil && ip.IsLoopback() {
		return nil
	}
	return usagef("--addr %q is not a loopback address; parley dev gives anybody a token, so it listens on 127.0.0.1, ::1 or localhost only (use parley serve for a network)", addr)
}

// devSecret is the app's secret, made once for each data directory, so that
// tokens outlive a restart.
func devSecret(data string) (string, error) {
	if err := os.MkdirAll(data, 0o700); err != nil {
		return "", fmt.Errorf("make the data directory: %w", err)
	}
	path := filepath.Join(data, "dev-secret")
	old, err := os.ReadFile(path)
	if err == nil && len(old) == auth.SecretBytes {
		return string(old), nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("read the app's secret: %w", err)
	}
	secret := (rand.Text() + rand.Text())[:auth.SecretBytes]
	if err := os.WriteFile(path, []byte(secret), 0o600); err != nil {
		return "", fmt.Errorf("write the app's secret: %w", err)
	}
	return secret, nil
}

// drainTime bounds how long a node may take to stop.
const drainTime = 10 * time.Second

// serve runs a node until the context ends, then stops it in order.
func serve(ctx context.Context, o node.Options, ready func(*node.Node)) error {
	n, err := node.Start(ctx, o)
	if err != nil {
		return err
	}
	ready(n)
	<-ctx.Done()
	o.Log.Info("shutting down")
	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTime)
	defer cancel()
	return n.Close(stop)
}
