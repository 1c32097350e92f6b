package node

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"
)

// certificateLook is how often the files are read again.
const certificateLook = 10 * time.Second

// certificate is what clients are shown: two PEM files that may be replaced while
// the node runs. New connections get the new certificate; those that are there
// go on. What cannot be read is logged once, and the old one stays.
type certificate struct {
	certFile, keyFile string
	log               *slog.Logger

	mu        sync.Mutex
	cert, key []byte // as last read, good or bad
	current   *tls.Certificate

	stop chan struct{}
	done sync.WaitGroup
}

// loadCertificate reads the node's certificate, if it has one.
func (n *Node) loadCertificate() error {
	if n.o.Certificate == "" {
		return nil
	}
	c := &certificate{certFile: n.o.Certificate, keyFile: n.o.Key, log: n.o.Log, stop: make(chan struct{})}
	if err := c.reload(); err != nil {
		return err
	}
	c.done.Go(c.watch)
	n.certificate = c
	return nil
}

// reload reads the files. Nothing happens when they are as they were.
func (c *certificate) reload() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	cert, err := os.ReadFile(c.certFile)
	if err != nil {
		return fmt.Errorf("read the certificate: %w", err)
	}
	key, err := os.ReadFile(c.keyFile)
	if err != nil {
		return fmt.Errorf("read the certificate's key: %w", err)
	}
	if bytes.Equal(cert, c.cert) && bytes.Equal(key, c.key) {
		return nil
	}
	c.cert, c.key = cert, key
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		return fmt.Errorf("the certificate in %s with the key in %s: %w", c.certFile, c.keyFile, err)
	}
	if c.current != nil {
		c.log.Info("the certificate was replaced", "file", c.certFile, "until", until(pair.Leaf))
	}
	c.current = &pair
	return nil
}

func until(leaf *x509.Certificate) time.Time {
	if leaf == nil {
		return time.Time{}
	}
	return leaf.NotAfter
}

// tryReload keeps the old certificate when there is no new one.
func (c *certificate) tryReload() {
	if err := c.reload(); err != nil {
		c.log.Warn("the certificate is not replaced", "error", err)
	}
}

// watch looks at the files until close.
func (c *certificate) watch() {
	look := time.NewTicker(certificateLook)
	defer look.Stop()
	for {
		select {
		case <-look.C:
			c.tryReload()
		case <-c.stop:
			return
		}
	}
}

// config is for a listener: HTTP/1.1 only, which WebSockets need.
func (c *certificate) config() *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1"},
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
			c.mu.Lock()
			defer c.mu.Unlock()
			return c.current, nil
		},
	}
}

func (c *certificate) close() {
	if c == nil {
		return
	}
	close(c.stop)
	c.done.Wait()
}
