package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"

	"github.com/parley-im/parley/auth"
	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/config"
	"github.com/parley-im/parley/node"
	"github.com/parley-im/parley/transport/source"
)

// devApp is the only app of `parley dev`.
const devApp chat.AppID = 1

type devCommand struct {
	Addr  string `help:"Where to listen; a loopback address." default:"127.0.0.1:8080" placeholder:"HOST:PORT"`
	Data  string `help:"Directory for the data." default:"./data" type:"path"`
	Admin string `name:"admin-addr" help:"Where to serve the cluster, metrics and profiles; a loopback address." default:"127.0.0.1:0" placeholder:"HOST:PORT"`

	config.Cluster
	Secrets string `help:"Directory of the secrets, which the nodes of a cluster share; the default is --data." placeholder:"DIR" type:"path"`
}

// Run serves until the context ends.
func (c *devCommand) Run(ctx context.Context) error {
	for flag, addr := range map[string]string{"addr": c.Addr, "admin-addr": c.Admin} {
		if err := checkLoopback(flag, addr); err != nil {
			return err
		}
	}
	secrets := cmp.Or(c.Secrets, c.Data)
	app, err := devAppOf(secrets)
	if err != nil {
		return err
	}
	token, err := adminToken(filepath.Join(secrets, "admin-token"))
	if err != nil {
		return err
	}
	cfg := config.Default()
	cfg.Cluster = c.Cluster
	cfg.Apps = []config.App{{ID: app.ID, Secret: config.Secret(app.Secret), JWTSecret: config.Secret(app.JWTSecret), Tokens: app.Tokens}}
	if err := errors.Join(cfg.ReadSecrets(), cfg.Validate()); err != nil {
		return usageError{err}
	}
	cluster, err := clusterOptions(cfg.Cluster)
	if err != nil {
		return usageError{err}
	}
	apps := []node.App{{App: app, Limits: chat.DefaultLimits()}}
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelInfo}))
	return serve(ctx, node.Options{
		Addr: c.Addr, Data: c.Data, Admin: c.Admin, AdminToken: token, ClientURL: "http://" + c.Addr, Cluster: cluster, Demo: true, LoopbackOrigins: true, Log: log,
		Apps: apps,
	}, func(n *node.Node) {
		fmt.Printf("Parley is ready at %s\nOpen it in two windows and sign in as two of the demo users. Ctrl-C ends it; the data stays in %s.\nFor operators: %s/cluster, with the token in %s.\n",
			n.URL(), c.Data, n.AdminURL(), filepath.Join(secrets, "admin-token"))
	}, func(n *node.Node) error { return n.Reload(apps) })
}

// checkLoopback refuses to hand out tokens to a network.
func checkLoopback(flag, addr string) error {
	if _, _, err := net.SplitHostPort(addr); err != nil {
		return usagef("--%s %q is not HOST:PORT", flag, addr)
	}
	if source.Loopback(addr) {
		return nil
	}
	return usagef("--%s %q is not a loopback address; parley dev gives anybody a token, so it listens on 127.0.0.1, ::1 or localhost only (use parley serve for a network)", flag, addr)
}

// devAppOf is the app with its secrets, made once for each data directory, so
// that tokens outlive a restart. It takes every kind of token: on loopback, where
// anybody is given one, it is for trying what a back end makes.
func devAppOf(data string) (auth.App, error) {
	app := auth.App{ID: devApp, Tokens: auth.Kinds()}
	for name, to := range map[string]*string{"dev-secret": &app.Secret, "dev-jwt-secret": &app.JWTSecret} {
		file := filepath.Join(data, name)
		secret, err := secretFile(file, (rand.Text() + rand.Text())[:auth.SecretBytes])
		if err != nil {
			return auth.App{}, err
		}
		if len(secret) != auth.SecretBytes {
			return auth.App{}, fmt.Errorf("%s does not hold %d bytes; delete it to have one made", file, auth.SecretBytes)
		}
		*to = secret
	}
	return app, app.Check()
}

// adminToken is the operators' token.
func adminToken(file string) (string, error) {
	token, err := secretFile(file, rand.Text())
	if err != nil {
		return "", fmt.Errorf("the admin token: %w", err)
	}
	if len(token) < minAdminToken {
		return "", fmt.Errorf("the admin token in %s has %d characters; at least %d are needed", file, len(token), minAdminToken)
	}
	return token, nil
}

// minAdminToken keeps a token from being guessed.
const minAdminToken = 20

// secretFile reads a secret, or writes a fresh one when there is none.
func secretFile(path, fresh string) (string, error) {
	old, err := config.ReadFile(path)
	if err == nil {
		return strings.TrimSpace(string(old)), nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("read a secret: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return "", fmt.Errorf("make the data directory: %w", err)
	}
	// Nodes that start together share it: the first whole file counts.
	own := path + "." + rand.Text()
	if err := os.WriteFile(own, []byte(fresh), 0o600); err != nil {
		return "", fmt.Errorf("write a secret: %w", err)
	}
	defer os.Remove(own)
	if err := os.Link(own, path); errors.Is(err, fs.ErrExist) {
		return secretFile(path, fresh)
	} else if err != nil {
		return "", fmt.Errorf("write a secret: %w", err)
	}
	return fresh, nil
}
