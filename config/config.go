// Package config is what a running node can be told: one documented struct, its
// defaults, and where values come from. Later sources win: defaults, the YAML
// file, PARLEY_* environment variables, and flags. A setting is a field here and
// nothing else: the tags name its key in the file and its flag, and cmd's parser
// makes the variable of the flag's name.
//
// It reads the files that it is given, and does nothing else: it opens no socket
// and starts nothing. cmd calls Load, Override with what the environment and the
// flags say, ReadSecrets and Validate, and hands the result to node.
package config

import (
	"reflect"
	"strings"

	"github.com/parley-im/parley/auth"
	"github.com/parley-im/parley/chat"
)

// DefaultShards is the number of shards of a cluster whose file names none.
const DefaultShards = 128

// Config is everything that `parley serve` can be told.
type Config struct {
	// Addr is where clients connect, HOST:PORT. An empty host is every interface.
	Addr string `yaml:"addr" placeholder:"HOST:PORT" help:"Where clients connect (127.0.0.1:8080)."`
	// TLS is what clients are shown. Without it they speak plain HTTP, or TLS with
	// a proxy in front.
	TLS Certificate `yaml:"tls" embed:"" prefix:"tls-"`
	// ClientURL is the origin by which clients reach this node, PathPrefix not
	// included. When it is set, clients of other nodes learn it, and go there when
	// theirs is gone. Pages of that origin may connect.
	ClientURL string `yaml:"client_url" placeholder:"URL" help:"Origin by which clients reach this node; clients of other nodes learn it."`
	// PathPrefix is where a proxy mounts the node, /chat for
	// https://company.example/chat/. Whether the proxy strips it does not matter.
	PathPrefix string `yaml:"path_prefix" placeholder:"PATH" help:"Path under which a proxy serves this node."`
	// TrustedProxies are the networks, as CIDRs, of the proxies in front of this
	// node: what they write into X-Forwarded-For, -Host and -Proto is believed, and
	// TLS for clients is theirs.
	TrustedProxies []string `yaml:"trusted_proxies" placeholder:"CIDR" help:"Networks of the proxies in front; may be repeated."`
	// Origins are the web origins, besides the node's own, from which browsers may
	// connect: https://app.example.com, or "*" for any.
	Origins []string `yaml:"origins" placeholder:"ORIGIN" help:"Other web origins whose pages may connect, * for any; may be repeated."`
	// Data is the folder that holds all state. It is made when it is missing.
	Data string `yaml:"data" type:"path" placeholder:"DIR" help:"Folder for all data (./data)."`
	// Shards is fixed when the data folder is made.
	Shards int `yaml:"shards" placeholder:"N" help:"Number of shards, fixed when the cluster is founded (128)."`
	// LogLevel is debug, info, warn or error.
	LogLevel string `yaml:"log_level" placeholder:"LEVEL" help:"debug, info, warn or error (info)."`
	// LogFormat is text or json.
	LogFormat string `yaml:"log_format" placeholder:"FORMAT" help:"text or json (text)."`
	// AdminAddr is where operators reach the node: the cluster and its page, metrics,
	// profiles. Off loopback it speaks TLS with the certificate of TLS.
	AdminAddr string `yaml:"admin_addr" placeholder:"HOST:PORT" help:"Where operators reach the node: the cluster, metrics, profiles (127.0.0.1:7700)."`
	// AdminTokenFile holds the token of the cluster's operators. The default is
	// admin-token in Data, made when it is missing.
	AdminTokenFile string `yaml:"admin_token_file" type:"path" placeholder:"FILE" help:"File with the operators' token, made when missing (admin-token in --data)."`
	// Insecure lets clients, operators and nodes off loopback talk in the clear.
	Insecure bool `yaml:"insecure" help:"Let clients, operators and nodes talk in the clear on a network that you trust."`
	// Cluster is how this node meets others.
	Cluster Cluster `yaml:"cluster" embed:""`
	// Apps are the apps (tenants) that are served.
	Apps []App `yaml:"apps" kong:"-"`
}

// Certificate names PEM files: a chain and its key. They are read again when they
// change.
type Certificate struct {
	Cert string `yaml:"cert" type:"path" placeholder:"FILE" help:"Certificate chain, PEM; read again when it changes."`
	Key  string `yaml:"key" type:"path" placeholder:"FILE" help:"Key of that certificate, PEM."`
}

// App is one app: its ID, what its tokens are checked with, and its limits. It
// needs a secret, a key, or both.
type App struct {
	ID chat.AppID `yaml:"id"`
	// Secret makes and checks token04 and HS256 tokens: exactly 32 characters.
	// SecretFile names a file that holds it instead.
	Secret     Secret `yaml:"secret,omitempty"`
	SecretFile string `yaml:"secret_file,omitempty"`
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
		AdminAddr: "127.0.0.1:7700",
		Data:      "./data",
		Shards:    DefaultShards,
		LogLevel:  "info",
		LogFormat: "text",
	}
}

// Override lays what is set in over, that is not zero, on top of c.
func (c *Config) Override(over Config) { override(reflect.ValueOf(c).Elem(), reflect.ValueOf(over)) }

func override(to, from reflect.Value) {
	for i := range to.NumField() {
		switch field := from.Field(i); {
		case field.Kind() == reflect.Struct:
			override(to.Field(i), field)
		case !field.IsZero():
			to.Field(i).Set(field)
		}
	}
}

// SetApp adds an app. When its ID is there already, it replaces that app's
// secret and leaves the rest as it was.
func (c *Config) SetApp(a App) {
	for i := range c.Apps {
		if c.Apps[i].ID == a.ID {
			c.Apps[i].Secret, c.Apps[i].SecretFile = a.Secret, a.SecretFile
			return
		}
	}
	c.Apps = append(c.Apps, a)
}

// Prefix is PathPrefix without a slash at its end.
func (c Config) Prefix() string { return strings.TrimRight(c.PathPrefix, "/") }

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
