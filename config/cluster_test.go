package config_test

import (
	"strings"
	"testing"

	"github.com/parley-im/parley/config"
)

func TestWhatLeavesTheMachineIsProtected(t *testing.T) {
	safe := config.Cluster{GossipKey: gossipKey, TLS: config.TLS{Cert: "c", Key: "k", CA: "a"}}
	for name, c := range map[string]struct {
		cluster config.Cluster
		want    string // part of the refusal; empty: none
	}{
		"alone":                     {config.Cluster{}, ""},
		"on loopback":               {config.Cluster{PeerAddr: "127.0.0.1:1", ActorAddr: "[::1]:2", GossipAddr: "localhost:3"}, ""},
		"peers in the clear":        {config.Cluster{PeerAddr: "10.0.0.1:1"}, "set cluster.tls"},
		"actors in the clear":       {config.Cluster{ActorAddr: ":1"}, "set cluster.tls"},
		"gossip in the clear":       {config.Cluster{GossipAddr: "0.0.0.0:1", TLS: safe.TLS}, "gossip_key"},
		"a key without TLS":         {config.Cluster{PeerAddr: "10.0.0.1:1", GossipKey: gossipKey}, "set cluster.tls"},
		"said to be safe":           {config.Cluster{PeerAddr: "10.0.0.1:1", Zone: "insecure"}, ""},
		"protected":                 {config.Cluster{PeerAddr: "10.0.0.1:1", GossipKey: safe.GossipKey, TLS: safe.TLS}, ""},
		"half of TLS":               {config.Cluster{TLS: config.TLS{Cert: "c"}}, "cert, key and ca"},
		"a short key":               {config.Cluster{GossipKey: "c2hvcnQ="}, "openssl rand"},
		"no port":                   {config.Cluster{PeerAddr: "10.0.0.1"}, "HOST:PORT"},
		"a seed without a port":     {config.Cluster{Join: []string{"there"}}, "gossip address"},
		"a seed without its port":   {config.Cluster{Join: []string{"there:0"}}, "gossip address"},
		"advertised by address":     {config.Cluster{Advertise: "2001:db8::1"}, ""},
		"advertised by name":        {config.Cluster{Advertise: "n1.example.com"}, ""},
		"advertised with a port":    {config.Cluster{Advertise: "10.0.0.1:80"}, "advertise is"},
		"advertised by a URL":       {config.Cluster{Advertise: "http://n1"}, "advertise is"},
		"a zone of two lines":       {config.Cluster{Zone: "a\nb"}, "zone is"},
		"nobody to be founded with": {config.Cluster{Expect: 3}, "join names no other"},
		"too many":                  {config.Cluster{Expect: 1000, Join: []string{"a:1"}}, "expect is 1000"},
	} {
		cfg := config.Default()
		cfg.Apps = []config.App{{ID: 1, Secret: secret}}
		cfg.Cluster, cfg.Insecure = c.cluster, c.cluster.Zone == "insecure"
		err := cfg.Validate()
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
		if err != nil && strings.Contains(err.Error(), "c2hvcnQ") {
			t.Errorf("%s: the refusal shows the key", name)
		}
	}
}

func TestCertificatesThatCannotBeReadAreNamed(t *testing.T) {
	if c, err := (config.TLS{}).Load(); c != nil || err != nil {
		t.Errorf("without files: %v, %v", c, err)
	}
	if _, err := (config.TLS{Cert: "/no/such", Key: "/no/such", CA: "/no/such"}).Load(); err == nil || !strings.Contains(err.Error(), "/no/such") {
		t.Errorf("%v", err)
	}
}
