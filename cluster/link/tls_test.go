package link_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"net"
	"testing"
	"time"

	"github.com/parley-im/parley/cluster/link"
)

// authority signs certificates for 127.0.0.1.
type authority struct {
	t    *testing.T
	key  *ecdsa.PrivateKey
	cert *x509.Certificate
	pool *x509.CertPool
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{t: t, key: newKey(t), pool: x509.NewCertPool()}
	a.cert = a.sign(&x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "authority"}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign,
	}, nil, a.key)
	a.pool.AddCert(a.cert)
	return a
}

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func (a *authority) sign(c, parent *x509.Certificate, key *ecdsa.PrivateKey) *x509.Certificate {
	a.t.Helper()
	if parent == nil {
		parent = c
	}
	c.NotBefore, c.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	der, err := x509.CreateCertificate(rand.Reader, c, parent, &key.PublicKey, a.key)
	if err != nil {
		a.t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		a.t.Fatal(err)
	}
	return cert
}

// config is mutual TLS with a certificate of its own.
func (a *authority) config() *tls.Config {
	key := newKey(a.t)
	cert := a.sign(&x509.Certificate{
		SerialNumber: big.NewInt(2), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}, a.cert, key)
	return &tls.Config{
		Certificates: []tls.Certificate{{Certificate: [][]byte{cert.Raw}, PrivateKey: key}},
		RootCAs:      a.pool, ClientCAs: a.pool, ClientAuth: tls.RequireAndVerifyClientCert, MinVersion: tls.VersionTLS13,
	}
}

func TestMutualTLSCarriesMessagesAndSnapshots(t *testing.T) {
	t.Parallel()
	ca := newAuthority(t)
	sinks := make(chan *sink, 1)
	a, b, p := proxied(t, watchful, into(sinks, nil), func(o *link.Options) { o.TLS = ca.config() })
	for i := range 1000 {
		a.Send("b", message(i, 1000))
		b.Send("a", message(i, 1000))
	}
	for i := range 1000 {
		a.wantMessage("b", message(i, 1000))
		b.wantMessage("a", message(i, 1000))
	}
	contents := random(3 << 20)
	if err := a.SendSnapshot(t.Context(), "b", head, rows(contents)); err != nil {
		t.Fatal(err)
	}
	if s := <-sinks; !bytes.Equal(s.rows.Bytes(), contents) {
		t.Error("other rows arrived")
	}
	p.pause() // silence is noticed under TLS too
	a.wantDown("b")
	b.wantDown("a")
	p.cut()
	a.wantUp("b")
	b.wantUp("a")
}

func TestWhoHasNoCertificateOfTheClusterIsRefused(t *testing.T) {
	t.Parallel()
	ca, other := newAuthority(t), newAuthority(t)
	for name, config := range map[string]*tls.Config{
		"plain":      nil,
		"no own":     {RootCAs: ca.pool},
		"of another": func() *tls.Config { c := other.config(); c.RootCAs = ca.pool; return c }(),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := start(t, "b", func(o *link.Options) { o.TLS = ca.config() })
			a := start(t, "a", func(o *link.Options) { o.TLS = config })
			b.SetPeer("a", a.addr)
			a.SetPeer("b", b.addr)
			b.wantLog("connection refused")
			a.wantLog("node not reached")
			if len(a.events)+len(b.events) != 0 {
				t.Error("a connection was up")
			}
		})
	}
}
