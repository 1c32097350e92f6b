package fleet_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/parley-im/parley/chaos/fleet"
	"github.com/parley-im/parley/internal/loopback"
)

// TestNodesTalkEncrypted runs a cluster with certificates and a gossip key, and
// a node without them that stays outside.
func TestNodesTalkEncrypted(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	env := certificates(t)
	f := begin(ctx, t, 3, func(_ *testing.T, o *fleet.Options) { o.Env = env })
	settle(ctx, t, f, 3)
	c := converse(ctx, t, f, 3)
	c.goesOn(ctx)

	stranger, err := f.Add()
	if err != nil {
		t.Fatal(err)
	}
	stranger.SetEnv("PARLEY_PEER_TLS_CERT=", "PARLEY_PEER_TLS_KEY=", "PARLEY_PEER_TLS_CA=", "PARLEY_GOSSIP_KEY=")
	if err := stranger.Launch(); err != nil {
		t.Fatal(err)
	}
	since := time.Now()
	await(ctx, t, "the stranger has had its time", func() bool { return time.Since(since) > 3*time.Second })
	if s, err := f.Nodes()[0].Status(ctx); err != nil || len(s.Nodes) != 3 {
		t.Errorf("the cluster has %d nodes, %v", len(s.Nodes), err)
	}
	if stranger.Ready(ctx) {
		t.Error("a node without certificate and key is ready")
	}
	stranger.Kill()
	c.goesOn(ctx)
	t.Logf("%d messages acknowledged, each heard once and in order", c.finish(ctx))
}

// certificates makes an authority and one certificate for all nodes, and gives
// the environment that names them.
func certificates(t *testing.T) []string {
	t.Helper()
	dir := t.TempDir()
	sign := func(serial int64, name string, parent *x509.Certificate, by *ecdsa.PrivateKey) (*x509.Certificate, *ecdsa.PrivateKey) {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		c := &x509.Certificate{
			SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
			IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1), net.ParseIP(loopback.Host())}, IsCA: parent == nil, BasicConstraintsValid: true,
			ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		}
		if parent == nil {
			parent, by = c, key
		}
		der, err := x509.CreateCertificate(rand.Reader, c, parent, &key.PublicKey, by)
		if err != nil {
			t.Fatal(err)
		}
		private, err := x509.MarshalECPrivateKey(key)
		if err != nil {
			t.Fatal(err)
		}
		for file, block := range map[string]*pem.Block{".crt": {Type: "CERTIFICATE", Bytes: der}, ".key": {Type: "EC PRIVATE KEY", Bytes: private}} {
			if err := os.WriteFile(filepath.Join(dir, name+file), pem.EncodeToMemory(block), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		return c, key
	}
	ca, key := sign(1, "ca", nil, nil)
	sign(2, "node", ca, key)
	gossip := make([]byte, 32)
	_, _ = rand.Read(gossip) // never fails
	return []string{
		"PARLEY_PEER_TLS_CERT=" + filepath.Join(dir, "node.crt"), "PARLEY_PEER_TLS_KEY=" + filepath.Join(dir, "node.key"), "PARLEY_PEER_TLS_CA=" + filepath.Join(dir, "ca.crt"),
		"PARLEY_GOSSIP_KEY=" + base64.StdEncoding.EncodeToString(gossip),
	}
}
