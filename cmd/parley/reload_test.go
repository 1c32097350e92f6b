package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/parley-im/parley/auth"
	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/client"
)

// write puts a file in place.
func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// certify writes a certificate for 127.0.0.1 that names itself by a number.
func certify(t *testing.T, cert, key string, number int64) *x509.Certificate {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(number), Subject: pkix.Name{CommonName: "test"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	pkcs, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	write(t, cert, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})))
	write(t, key, string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs})))
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return parsed
}

// secure is an HTTP client that trusts the certificates.
func secure(trusted ...*x509.Certificate) *http.Client {
	pool := x509.NewCertPool()
	for _, c := range trusted {
		pool.AddCert(c)
	}
	return &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, DisableKeepAlives: true}, Timeout: patience}
}

func (p *process) hangup() {
	p.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		p.Fatal(err)
	}
}

// login logs a user of an app in, or gives the refusal.
func login(t *testing.T, url string, app chat.AppID, secret string, over *http.Client) (*client.Client, error) {
	t.Helper()
	token, err := auth.GenerateJWT(app, "alice", secret, time.Hour, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return client.Dial(t.Context(), client.Options{Servers: []string{url}, AppID: app, UserID: "alice", Token: token, NoReconnect: true, HTTPClient: over})
}

func TestSIGHUPReadsAppsAndTheLogLevelAgain(t *testing.T) {
	dir := t.TempDir()
	file, key := filepath.Join(dir, "parley.yaml"), filepath.Join(dir, "key")
	write(t, key, appSecret)
	write(t, file, "apps: [{id: 1, secret_file: "+key+"}]\n")
	p, url, _ := serving(t, dir, "--config", file)
	first, err := login(t, url, 1, appSecret, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close(context.WithoutCancel(t.Context()))
	const other = "ffffffffffffffffffffffffffffffff"

	write(t, file, "apps: [{id: 1, secret_file: "+key+"}, {id: 2, secret: "+other+"}]\nlog_level: debug\n")
	p.hangup()
	p.await(`msg=reloaded`)
	if second, err := login(t, url, 2, other, nil); err != nil {
		t.Errorf("an app that was added: %v", err)
	} else {
		_ = second.Close(t.Context())
	}
	write(t, key, other[:31]+"e")
	p.hangup()
	p.await(`(?s)msg=reloaded.*msg=reloaded`)
	if _, err := login(t, url, 1, appSecret, nil); err == nil {
		t.Error("a secret that was replaced still lets in")
	}
	write(t, file, "apps: [{id: 1")
	p.hangup()
	p.await(`msg="nothing was reloaded"`)
	if second, err := login(t, url, 2, other, nil); err != nil {
		t.Errorf("after a file that cannot be read: %v", err)
	} else {
		_ = second.Close(t.Context())
	}
	if strings.Contains(p.log(), appSecret) || strings.Contains(p.log(), other) {
		t.Errorf("the log holds a secret:\n%s", p.log())
	}
}

func TestACertificateIsReplacedWithoutDroppingConnections(t *testing.T) {
	dir := t.TempDir()
	cert, key := filepath.Join(dir, "chat.crt"), filepath.Join(dir, "chat.key")
	first := certify(t, cert, key, 1)
	p, url, _ := serving(t, dir, "--tls-cert", cert, "--tls-key", key)
	if !strings.HasPrefix(url, "https://") {
		t.Fatalf("the node is at %s", url)
	}
	alice, err := login(t, url, 1, appSecret, secure(first))
	if err != nil {
		t.Fatal(err)
	}
	defer alice.Close(context.WithoutCancel(t.Context()))

	second := certify(t, cert, key, 2)
	p.hangup()
	p.await("the certificate was replaced")
	if _, err := get(t.Context(), secure(first), url+"/healthz"); err == nil {
		t.Error("the old certificate is still shown")
	}
	write(t, cert, "garbage")
	p.hangup()
	p.await("the certificate is not replaced")
	for _, path := range []string{"/healthz", "/readyz", "/", "/sdk/zim.js"} {
		if status, err := get(t.Context(), secure(second), url+path); err != nil || status != http.StatusOK {
			t.Errorf("%s: %d, %v", path, status, err)
		}
	}
	conn, err := tls.Dial("tcp", strings.TrimPrefix(url, "https://"), &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2", "http/1.1"}})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if got := conn.ConnectionState().NegotiatedProtocol; got != "http/1.1" {
		t.Errorf("the protocol is %q; WebSockets need HTTP/1.1", got)
	}
	if _, err := alice.Conversations(t.Context(), client.ConversationsRequest{Count: 1}); err != nil {
		t.Errorf("the connection that was there: %v", err)
	}
}

func TestTheSettingsThatServeRunsWithArePrinted(t *testing.T) {
	dir := t.TempDir()
	file, key := filepath.Join(dir, "parley.yaml"), filepath.Join(dir, "key")
	write(t, key, appSecret)
	write(t, file, "shards: 16\nzone: no\n")
	if p := launch(t, nil, "config", "--config", file); p.code() != 2 || !strings.Contains(p.log(), `unknown field "zone"`) {
		t.Errorf("%d:\n%s", p.code(), p.log())
	}
	write(t, file, "addr: 127.0.0.1:1\nshards: 16\nlog_level: warn\n")
	p := launch(t, []string{"PARLEY_SHARDS=32", "PARLEY_LOG_LEVEL=error", "PARLEY_GOSSIP_KEY=AAAAAAAAAAAAAAAAAAAAAA=="}, "config", "--config", file, "--app", "7:@"+key, "--log-level", "debug")
	if p.code() != 0 {
		t.Fatal(p.log())
	}
	for _, want := range []string{"addr: 127.0.0.1:1\n", "shards: 32\n", "log_level: debug\n", "gossip_key: redacted\n", "- id: 7\n", "secret_file: " + key + "\n"} {
		if !strings.Contains(p.log(), want) {
			t.Errorf("no %q in:\n%s", want, p.log())
		}
	}
	for name, c := range map[string][]string{
		"a token with the node's file": {"token", "--app-id", "1", "--user", "alice", "--config", file},
		"a token with a secret's file": {"token", "--app-id", "1", "--user", "alice", "--secret-file", key, "--jwt"},
		"a token with a variable":      {"token", "--app-id", "1", "--user", "alice"},
	} {
		write(t, file, fmt.Sprintf("apps: [{id: 1, secret: %s}]\n", appSecret))
		var env []string
		if strings.HasSuffix(name, "variable") {
			env = []string{"PARLEY_SECRET=" + appSecret}
		}
		if p := launch(t, env, c...); p.code() != 0 || len(strings.TrimSpace(p.log())) < 100 {
			t.Errorf("%s: %d %s", name, p.code(), p.log())
		}
	}
	if p := launch(t, nil, "token", "--app-id", "1", "--user", "alice"); p.code() != 2 || !strings.Contains(p.log(), "--secret-file") {
		t.Errorf("without a secret: %d %s", p.code(), p.log())
	}
}
