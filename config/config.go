// Package config is what a running node can be told: one documented struct, its
// defaults, and where values come from. Later sources win: defaults, the YAML
// file, PARLEY_* environment variables, and the flags that cmd lays on top.
//
// It reads one file and the environment it is given, and does nothing else: it
// opens no socket and starts nothing. cmd calls Load, applies its flags, calls
// Validate and hands the result to node.
package config

import (
	"github.com/parley-im/parley/auth"
	"github.com/parley-im/parley/chat"
)

// DefaultShards is the number of shards of a cluster whose file names none.
const DefaultShards = 128

// Config is everything that `parley serve` can be told.
type Config struct {
	// Addr is where clients connect, HOST:PORT. An empty host is every interface.
	Addr string `yaml:"addr"`
	// ClientURL is the origin by which clients reach this node. When it is set,
	// clients of other nodes are told, and go there when theirs is gone.
	ClientURL string `yaml:"client_url"`
	// Data is the folder that holds all state. It is made when it is missing.
	Data string `yaml:"data"`
	// Shards is fixed when the data folder is made.
	Shards int `yaml:"shards"`
	// Origins are the web origins, besides the node's own, from which browsers may
	// connect: https://app.example.com, or "*" for any.
	Origins []string `yaml:"origins"`
	// TrustedProxies are the networks, as CIDRs, of the proxies in front of this
	// node: what they write into X-Forwarded-For, -Host and -Proto is believed.
	TrustedProxies []string `yaml:"trusted_proxies"`
	// LogLevel is debug, info, warn or error.
	LogLevel string `yaml:"log_level"`
	// LogFormat is text or json.
	LogFormat string `yaml:"log_format"`
	// Cluster is how this node meets others.
	Cluster Cluster `yaml:"cluster"`
	// AdminTokenFile holds the token of the cluster's operators. The default is
	// admin-token in Data, made when it is missing.
	AdminTokenFile string `yaml:"admin_token_file"`
	// Apps are the apps (tenants) that are served.
	Apps []App `yaml:"apps"`
}

// App is one app: its ID, what its tokens are checked with, and its limits. It
// needs a secret, a key, or both.
type App struct {
	ID chat.AppID `yaml:"id"`
	// Secret makes and checks token04 and HS256 tokens: exactly 32 characters.
	Secret Secret `yaml:"secret,omitempty"`
	// JWTSecret checks HS256 tokens in place of Secret: 32 characters or more.
	JWTSecret Secret `yaml:"jwt_secret,omitempty"`
	// Tokens are the kinds that are accepted: jwt, token04-gcm, token04-cbc,
	// token04-cbc-any-order. The default is the first two. The CBC forms carry no
	// MAC; read docs/security.md before naming one.
	Tokens []auth.Kind `yaml:"tokens,omitempty"`
	// Keys are Ed25519 public keys that check EdDSA tokens, each PEM or the base64
	// of its 32 bytes. Any one will do.
	Keys   []string `yaml:"keys,omitempty"`
	Limits Limits   `yaml:"limits,omitempty"`
}

// Default is a node on loopback without any app.
func Default() Config {
	return Config{
		Addr:      "127.0.0.1:8080",
		Data:      "./data",
		Shards:    DefaultShards,
		LogLevel:  "info",
		LogFormat: "text",
	}
}

// SetApp adds an app. When its ID is there already, it replaces that app's
// secret and leaves the rest as it was.
func (c *Config) SetApp(a App) {
	for i := range c.Apps {
		if c.Apps[i].ID == a.ID {
			c.Apps[i].Secret = a.Secret
			return
		}
	}
	c.Apps = append(c.Apps, a)
}

// Auth is the app as the token verifier wants it. The error is a sentence about
// a key that cannot be read.
func (a App) Auth() (auth.App, error) {
	out := auth.App{ID: a.ID, Secret: string(a.Secret), JWTSecret: string(a.JWTSecret), Tokens: a.Tokens}
	for _, text := range a.Keys {
		key, err := auth.ParsePublicKey(text)
		if err != nil {
			return auth.App{}, err
		}
		out.Keys = append(out.Keys, key)
	}
	return out, nil
}
