package config

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"net"
	"os"
	"strings"
	"unicode"

	"github.com/parley-im/parley/transport/source"
)

// Cluster is how a node finds and meets the others. The zero addresses stand for
// free ports on loopback.
type Cluster struct {
	// PeerAddr is where other nodes' Raft messages and snapshots arrive, HOST:PORT.
	PeerAddr string `yaml:"peer_addr" placeholder:"HOST:PORT" help:"Where other nodes' Raft messages and snapshots arrive (a free port on loopback)."`
	// ActorAddr is where other nodes' actors are heard. The default is the host of
	// PeerAddr and a free port.
	ActorAddr string `yaml:"actor_addr" placeholder:"HOST:PORT" help:"Where other nodes' actors are heard (the host of --peer-addr, a free port)."`
	// GossipAddr is where nodes find each other, TCP and UDP.
	GossipAddr string `yaml:"gossip_addr" placeholder:"HOST:PORT" help:"Where nodes find each other, TCP and UDP (a free port on loopback)."`
	// Advertise is the host that the others get, when it is not that of the
	// addresses above.
	Advertise string `yaml:"advertise" placeholder:"HOST" help:"Host by which others reach this node, when it is not that of the addresses."`
	// Join lists gossip addresses of other nodes. Without any, and without Expect,
	// a node without data founds a cluster of its own.
	Join []string `yaml:"join,omitempty" placeholder:"HOST:PORT" help:"Gossip address of another node; may be repeated."`
	// Expect is how many nodes found a cluster together.
	Expect int `yaml:"expect" placeholder:"N" help:"How many nodes found the cluster together."`
	// Zone is the rack or data centre: replicas of a shard go to different ones.
	Zone string `yaml:"zone" placeholder:"NAME" help:"Rack or data centre; replicas go to different ones."`
	// TLS is used between nodes, both ways.
	TLS TLS `yaml:"tls" embed:"" prefix:"peer-tls-"`
	// GossipKey encrypts gossip: the base64 of 16, 24 or 32 bytes, the same on all
	// nodes. GossipKeyFile names a file that holds it instead. The flag is hidden: a
	// command line is no place for a secret, its variable is.
	GossipKey     Secret `yaml:"gossip_key,omitempty" hidden:""`
	GossipKeyFile string `yaml:"gossip_key_file,omitempty" type:"path" placeholder:"FILE" help:"File with the key that encrypts gossip; PARLEY_GOSSIP_KEY is the key itself."`
}

// TLS names PEM files: a certificate for this node, its key, and the authority
// whose certificates other nodes must have.
type TLS struct {
	Cert string `yaml:"cert" type:"path" placeholder:"FILE" help:"This node's certificate for other nodes, PEM."`
	Key  string `yaml:"key" type:"path" placeholder:"FILE" help:"Its key, PEM."`
	CA   string `yaml:"ca" type:"path" placeholder:"FILE" help:"The authority whose certificates other nodes must have, PEM."`
}

// Set tells whether any file is named.
func (t TLS) Set() bool { return t != TLS{} }

// Load reads the files for the connections between nodes; nil without any.
func (t TLS) Load() (*tls.Config, error) {
	if !t.Set() {
		return nil, nil
	}
	cert, err := tls.LoadX509KeyPair(t.Cert, t.Key)
	if err != nil {
		return nil, fmt.Errorf("read the node's certificate: %w", err)
	}
	ca, err := os.ReadFile(t.CA)
	if err != nil {
		return nil, fmt.Errorf("read the authority's certificate: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(ca) {
		return nil, fmt.Errorf("%s holds no certificate in PEM", t.CA)
	}
	return &tls.Config{
		Certificates: []tls.Certificate{cert}, RootCAs: pool, ClientCAs: pool, ClientAuth: tls.RequireAndVerifyClientCert, MinVersion: tls.VersionTLS13,
	}, nil
}

// Key is the gossip key's bytes, nil without one. Validate has checked it.
func (c Cluster) Key() []byte {
	key, _ := base64.StdEncoding.DecodeString(string(c.GossipKey))
	return key
}

// maxExpect bounds the nodes that found a cluster together.
const maxExpect = 99

// problems checks what is set and that nothing leaves the machine unprotected,
// unless insecure says that it may.
func (c Cluster) problems(insecure bool) (all []error) {
	add := func(format string, args ...any) { all = append(all, fmt.Errorf(format, args...)) }
	open := ""
	for _, a := range []struct{ name, value string }{
		{"peer_addr", c.PeerAddr}, {"actor_addr", c.ActorAddr}, {"gossip_addr", c.GossipAddr},
	} {
		if a.value == "" {
			continue
		}
		host, port, err := net.SplitHostPort(a.value)
		if err != nil || !validPort(port) {
			add("%s is %q; HOST:PORT with a port from 0 to 65535 is wanted", a.name, a.value)
		} else if !source.Loopback(host) && open == "" {
			open = a.name
		}
	}
	for _, seed := range c.Join {
		if _, port, err := net.SplitHostPort(seed); err != nil || !validPort(port) || port == "0" {
			add("join holds %q; the gossip address HOST:PORT of another node is wanted", seed)
		}
	}
	if c.Expect < 0 || c.Expect > maxExpect {
		add("expect is %d; 0 to %d are allowed", c.Expect, maxExpect)
	}
	if c.Expect > 1 && len(c.Join) == 0 {
		add("expect is %d, but join names no other node to meet", c.Expect)
	}
	if strings.ContainsAny(c.Advertise, "/ ") || strings.Contains(c.Advertise, ":") && net.ParseIP(c.Advertise) == nil {
		add("advertise is %q; a host name or an IP address without a port is wanted", c.Advertise)
	}
	if strings.ContainsFunc(c.Zone, unicode.IsControl) {
		add("zone is %q; a name without control characters is wanted", c.Zone)
	}
	if len(c.Zone) > 64 {
		add("zone has %d bytes; at most 64 are allowed", len(c.Zone))
	}
	if t := c.TLS; t.Set() && (t.Cert == "" || t.Key == "" || t.CA == "") {
		add("cluster.tls needs cert, key and ca")
	}
	if c.GossipKey != "" {
		if key, err := base64.StdEncoding.DecodeString(string(c.GossipKey)); err != nil || len(key) != 16 && len(key) != 24 && len(key) != 32 {
			add("gossip_key is not the base64 of 16, 24 or 32 bytes; `openssl rand -base64 32` makes one")
		}
	}
	if open != "" && !insecure && (!c.TLS.Set() || c.GossipKey == "") {
		add("%s leaves this machine, but nodes would talk in the clear: set cluster.tls (cert, key and ca) and gossip_key, or --insecure on a network that you trust", open)
	}
	return all
}
