package ws

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/parley-im/parley/internal/fair"
)

// crowd is a server whose sockets come from wherever the header From says.
type crowd struct {
	*Server
	t      *testing.T
	url    string
	joined chan Conn
}

func newCrowd(t *testing.T, connections int) *crowd {
	c := &crowd{t: t, joined: make(chan Conn, 100)}
	c.Server = NewServer(Options{
		Subprotocols: []string{"test"}, Text: func(string) bool { return true }, AllowOrigin: func(*http.Request) bool { return true },
		MaxMessage: 1 << 10, MaxConnections: connections, Log: slog.New(slog.DiscardHandler),
		Accept: func(conn Conn, _ string) Handler { c.joined <- conn; return new(quiet) },
		Source: func(r *http.Request) fair.Source { return fair.Of(netip.MustParseAddr(r.Header.Get("From"))) },
	})
	server := httptest.NewServer(c.Server)
	c.url = server.URL
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		if err := c.Close(ctx); err != nil {
			t.Error(err)
		}
		server.Close()
	})
	return c
}

// come opens a socket from an address, and gives both its ends or the status.
func (c *crowd) come(addr string) (client *websocket.Conn, own Conn, status int) {
	c.t.Helper()
	client, answer, err := websocket.Dial(c.t.Context(), c.url, &websocket.DialOptions{Subprotocols: []string{"test"}, HTTPHeader: http.Header{"From": {addr}}})
	if answer == nil {
		c.t.Fatal(err)
	}
	if err != nil {
		return nil, nil, answer.StatusCode
	}
	c.t.Cleanup(func() { _ = client.CloseNow() })
	return client, <-c.joined, answer.StatusCode
}

func TestSocketsWithoutALoginHaveAShareOfThePlaces(t *testing.T) {
	const all = 12
	c := newCrowd(t, all)
	var clients []*websocket.Conn
	var last Conn
	for i := range all / 2 {
		client, own, status := c.come(loud)
		if client == nil {
			t.Fatalf("number %d of half of the places is answered %d", i, status)
		}
		clients, last = append(clients, client), own
	}
	if _, _, status := c.come(loud); status != http.StatusServiceUnavailable {
		t.Errorf("one more than half is answered %d, want 503", status)
	}
	if client, _, status := c.come(calm); client == nil {
		t.Errorf("another source is answered %d", status)
	}
	last.Authenticated()
	last.Authenticated() // counts once
	if client, _, status := c.come(loud); client != nil || status != http.StatusServiceUnavailable {
		t.Errorf("with 5 of its own and 5 free it is answered %d", status)
	}
	for _, client := range clients[:3] {
		if err := client.Close(websocket.StatusNormalClosure, ""); err != nil && !errors.As(err, new(websocket.CloseError)) {
			t.Error(err)
		}
	}
	for deadline := time.Now().Add(20 * time.Second); c.pool.Taken() > all/2+1-3; {
		if time.Now().After(deadline) {
			t.Fatalf("%d places are taken after three have gone", c.pool.Taken())
		}
	}
	if client, _, status := c.come(loud); client == nil {
		t.Errorf("when three have gone it is answered %d", status)
	}
}
