package config

import (
	"errors"
	"fmt"
	"os"
	"reflect"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// The environment variables that override the file. PARLEY_APP is ID:SECRET, so
// that a secret needs no file; PARLEY_ORIGINS and PARLEY_JOIN are separated by
// commas.
const (
	EnvAddr      = "PARLEY_ADDR"
	EnvData      = "PARLEY_DATA"
	EnvClientURL = "PARLEY_CLIENT_URL"
	EnvShards    = "PARLEY_SHARDS"
	EnvOrigins   = "PARLEY_ORIGINS"
	EnvProxies   = "PARLEY_TRUSTED_PROXIES"
	EnvLogLevel  = "PARLEY_LOG_LEVEL"
	EnvLogFormat = "PARLEY_LOG_FORMAT"
	EnvApp       = "PARLEY_APP"

	EnvPeerAddr       = "PARLEY_PEER_ADDR"
	EnvActorAddr      = "PARLEY_ACTOR_ADDR"
	EnvGossipAddr     = "PARLEY_GOSSIP_ADDR"
	EnvAdvertise      = "PARLEY_ADVERTISE"
	EnvJoin           = "PARLEY_JOIN"
	EnvExpect         = "PARLEY_EXPECT"
	EnvZone           = "PARLEY_ZONE"
	EnvGossipKey      = "PARLEY_GOSSIP_KEY"
	EnvTLSCert        = "PARLEY_TLS_CERT"
	EnvTLSKey         = "PARLEY_TLS_KEY"
	EnvTLSCA          = "PARLEY_TLS_CA"
	EnvAdminTokenFile = "PARLEY_ADMIN_TOKEN_FILE"
)

// Load gives the defaults, overridden by the YAML file (none when file is "")
// and then by the variables that lookup finds: os.LookupEnv. The result is not
// validated: flags may still change it. Errors name file and line, or variable,
// and never quote a value.
func Load(file string, lookup func(string) (string, bool)) (Config, error) {
	c := Default()
	if file != "" {
		text, err := os.ReadFile(file)
		if err != nil {
			return Config{}, fmt.Errorf("read the configuration: %w", err)
		}
		if err := c.decode(file, text); err != nil {
			return Config{}, err
		}
	}
	if err := c.applyEnv(lookup); err != nil {
		return Config{}, err
	}
	return c, nil
}

// decode lays one YAML document over c. An unknown or repeated key is an error;
// a document without content changes nothing.
func (c *Config) decode(file string, text []byte) error {
	parsed, err := parser.ParseBytes(text, 0)
	if err != nil {
		return explain(file, err)
	}
	if len(parsed.Docs) > 1 {
		return fmt.Errorf("%s: more than one YAML document; one is allowed", file)
	}
	for _, doc := range parsed.Docs {
		switch doc.Body.(type) {
		case nil, *ast.NullNode, *ast.CommentGroupNode:
			return nil // the decoder would reset c
		}
		if err := yaml.NodeToValue(doc.Body, c, yaml.DisallowUnknownField()); err != nil {
			return explain(file, err)
		}
	}
	return nil
}

// explain turns a decoder's error into a sentence with its place. The library's
// own text quotes the lines around it, which may hold a secret.
func explain(file string, err error) error {
	var at yaml.Error
	if !errors.As(err, &at) {
		return fmt.Errorf("%s: %w", file, err)
	}
	place := file
	if tk := at.GetToken(); tk != nil {
		place = fmt.Sprintf("%s:%d", file, tk.Position.Line)
	}
	var unknown *yaml.UnknownFieldError
	var wrongType *yaml.TypeError
	var overflow *yaml.OverflowError
	switch {
	case errors.As(err, &unknown):
		return fmt.Errorf("%s: %s; the keys of the file are %s, of an app %s, of limits %s, of cluster %s",
			place, at.GetMessage(), keys[Config](), keys[App](), keys[Limits](), keys[Cluster]())
	case errors.As(err, &wrongType):
		return fmt.Errorf("%s: the value is a %v; a %v is wanted here", place, wrongType.SrcType, wrongType.DstType.Kind())
	case errors.As(err, &overflow):
		return fmt.Errorf("%s: the number does not fit; a %v is wanted here", place, overflow.DstType)
	}
	return fmt.Errorf("%s: %s", place, at.GetMessage())
}

// keys lists the YAML keys of a struct type.
func keys[T any]() string {
	var names []string
	t := reflect.TypeFor[T]()
	for i := range t.NumField() {
		name, _, _ := strings.Cut(t.Field(i).Tag.Get("yaml"), ",")
		names = append(names, name)
	}
	return strings.Join(names, ", ")
}

// List splits what commas separate.
func List(text string) (all []string) {
	for part := range strings.SplitSeq(text, ",") {
		if part = strings.TrimSpace(part); part != "" {
			all = append(all, part)
		}
	}
	return all
}

// applyEnv lays the environment over c.
func (c *Config) applyEnv(lookup func(string) (string, bool)) error {
	for name, to := range map[string]*string{
		EnvAddr: &c.Addr, EnvData: &c.Data, EnvClientURL: &c.ClientURL, EnvLogLevel: &c.LogLevel, EnvLogFormat: &c.LogFormat,
		EnvPeerAddr: &c.Cluster.PeerAddr, EnvActorAddr: &c.Cluster.ActorAddr, EnvGossipAddr: &c.Cluster.GossipAddr,
		EnvAdvertise: &c.Cluster.Advertise, EnvZone: &c.Cluster.Zone, EnvTLSCert: &c.Cluster.TLS.Cert, EnvTLSKey: &c.Cluster.TLS.Key,
		EnvTLSCA: &c.Cluster.TLS.CA, EnvAdminTokenFile: &c.AdminTokenFile,
	} {
		if v, ok := lookup(name); ok {
			*to = v
		}
	}
	for name, to := range map[string]*int{EnvShards: &c.Shards, EnvExpect: &c.Cluster.Expect} {
		if v, ok := lookup(name); ok {
			n, err := strconv.Atoi(v)
			if err != nil {
				return fmt.Errorf("%s is no number", name)
			}
			*to = n
		}
	}
	for name, to := range map[string]*[]string{EnvOrigins: &c.Origins, EnvProxies: &c.TrustedProxies, EnvJoin: &c.Cluster.Join} {
		if v, ok := lookup(name); ok {
			*to = List(v)
		}
	}
	if v, ok := lookup(EnvGossipKey); ok {
		c.Cluster.GossipKey = Secret(v)
	}
	if v, ok := lookup(EnvApp); ok {
		a, err := ParseApp(v)
		if err != nil {
			return fmt.Errorf("%s: %w", EnvApp, err)
		}
		c.SetApp(a)
	}
	return nil
}
