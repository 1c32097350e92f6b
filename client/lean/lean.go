// Package lean is a client for load: it logs in, sends and reads frames as fast
// as one goroutine per socket can, and does nothing that a generator must not
// hide: no reconnect, no retry, no ordering. Applications use package client.
package lean

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/lxzan/gws"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/proto/wirepb"
	"github.com/parley-im/parley/transport/wire"
)

// readBuffer is small, as a generator holds many sockets.
const readBuffer = 1024

// Options says who logs in where.
type Options struct {
	URL   string // http(s)://host:port
	Hello *wirepb.Hello
	// Frame gets every frame after the welcome, on the socket's goroutine. It
	// must not keep it.
	Frame func(*wirepb.ServerFrame)
	// Closed is called once the socket has ended after the welcome.
	Closed func(error)
}

// Conn is a logged-in socket.
type Conn struct {
	gws.BuiltinEventHandler
	o       Options
	socket  *gws.Conn
	welcome chan error
	in      bool // welcomed; used by the reader only
}

// Dial connects and logs in. A refusal is a *chat.Error.
func Dial(ctx context.Context, o Options) (*Conn, error) {
	c := &Conn{o: o, welcome: make(chan error, 1)}
	deadline := 30 * time.Second
	if d, ok := ctx.Deadline(); ok {
		deadline = time.Until(d)
	}
	socket, _, err := gws.NewClient(c, &gws.ClientOption{
		Addr: "ws" + strings.TrimPrefix(o.URL, "http") + "/ws", ReadBufferSize: readBuffer, HandshakeTimeout: deadline,
		ReadMaxPayloadSize: 16 << 20, RequestHeader: http.Header{"Sec-WebSocket-Protocol": {wire.SubprotocolProto}},
	})
	if err != nil {
		return nil, fmt.Errorf("dial %s: %w", o.URL, err)
	}
	c.socket = socket
	go socket.ReadLoop()
	if err := c.Say(&wirepb.ClientFrame{Id: 1, Body: &wirepb.ClientFrame_Hello{Hello: o.Hello}}); err != nil {
		return nil, err
	}
	select {
	case err = <-c.welcome:
	case <-ctx.Done():
		err = ctx.Err()
	}
	if err != nil {
		c.Close()
		return nil, fmt.Errorf("log in: %w", err)
	}
	return c, nil
}

// Say writes a frame.
func (c *Conn) Say(f *wirepb.ClientFrame) error {
	data, err := f.MarshalVT()
	if err != nil {
		return err
	}
	return c.socket.WriteMessage(gws.OpcodeBinary, data)
}

// Close ends the socket at once.
func (c *Conn) Close() { _ = c.socket.NetConn().Close() }

// OnMessage implements gws.Event.
func (c *Conn) OnMessage(_ *gws.Conn, m *gws.Message) {
	defer m.Close()
	var f wirepb.ServerFrame
	if err := f.UnmarshalVT(m.Bytes()); err != nil {
		c.Close()
		return
	}
	if c.in {
		c.o.Frame(&f)
		return
	}
	switch {
	case f.GetHello() != nil:
		c.in = true
		c.welcome <- nil
	case f.GetError() != nil:
		c.welcome <- chat.Errorf(chat.Code(f.GetError().Code), "login", "%s", f.GetError().Message)
	}
}

// OnClose implements gws.Event.
func (c *Conn) OnClose(_ *gws.Conn, err error) {
	if c.in {
		c.o.Closed(err)
		return
	}
	select {
	case c.welcome <- err:
	default:
	}
}
