package client

import (
	"bytes"
	"context"
	"errors"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/proto/wirepb"
	"github.com/parley-im/parley/transport/wire"
)

// maxFrameBytes is the largest frame taken from a server: a full history page
// of the largest bodies fits.
const maxFrameBytes = 16 << 20

// keptBuffer is the largest read buffer that a quiet connection holds on to.
const keptBuffer = 64 << 10

// errLost is what requests get whose connection ended before their reply.
var errLost = errors.New("the connection was lost before the reply")

// reply is called once with a request's answer, by the connection's reader or,
// when it never gets on the wire, by whoever asked. A refusal is an error.
type reply func(f *wirepb.ServerFrame, err error)

// link is one connection that was welcomed.
type link struct {
	c       *Client
	ws      *websocket.Conn
	ctx     context.Context // bounds reads and writes; ends with the link
	cancel  context.CancelFunc
	welcome *wirepb.HelloReply
	beat    *time.Timer
	heard   atomic.Int64 // when the last byte of a frame came, Unix nanoseconds
	buf     bytes.Buffer // the reader's

	mu      sync.Mutex
	lastID  uint32
	pending map[uint32]reply // nil once the link has ended
	cause   error            // why it ended
	lost    chan struct{}    // closed when it ended
}

// dial connects, says hello and waits for the welcome. ctx bounds all of it.
func dial(ctx context.Context, c *Client, server, token string, resume bool) (*link, error) {
	const op = "login"
	ws, _, err := websocket.Dial(ctx, server, &websocket.DialOptions{
		HTTPClient: c.o.HTTPClient, Subprotocols: []string{wire.SubprotocolProto},
	})
	if err != nil {
		return nil, chat.Errorf(chat.CodeUnavailable, op, "connect to %s: %w", server, err)
	}
	ws.SetReadLimit(maxFrameBytes)
	l := &link{c: c, ws: ws, lastID: 1, pending: map[uint32]reply{}, lost: make(chan struct{})}
	l.ctx, l.cancel = context.WithCancel(context.Background())
	if err := l.hello(ctx, token, resume); err != nil {
		ws.CloseNow()
		l.cancel()
		return nil, err
	}
	l.heard.Store(time.Now().UnixNano())
	l.mu.Lock()
	l.beat = time.AfterFunc(l.interval(), l.heartbeat)
	l.mu.Unlock()
	c.wg.Go(l.read)
	return l, nil
}

// hello logs in; afterwards welcome is set.
func (l *link) hello(ctx context.Context, token string, resume bool) error {
	const op = "login"
	o := l.c.o
	data, err := wire.Proto{}.EncodeClient(&wirepb.ClientFrame{Id: 1, Body: &wirepb.ClientFrame_Hello{Hello: &wirepb.Hello{
		ProtocolVersion: wire.ProtocolVersion, AppId: uint32(o.AppID), UserId: o.UserID, UserName: o.UserName,
		Token: token, DeviceId: o.DeviceID, Platform: "go", Resume: resume, Link: l.c.links.Add(1),
	}}})
	if err != nil {
		return chat.Errorf(chat.CodeInvalidParam, op, "encode: %w", err)
	}
	err = l.ws.Write(ctx, websocket.MessageBinary, data)
	var f *wirepb.ServerFrame
	if err == nil {
		f, err = l.next(ctx)
	}
	switch {
	case err != nil && ctx.Err() != nil: // what it did to the socket is beside the point
		return chat.Errorf(chat.CodeUnavailable, op, "gave up: %w", ctx.Err())
	case err != nil:
		return closeError(op, err)
	}
	switch b := f.Body.(type) {
	case *wirepb.ServerFrame_Hello:
		l.welcome = b.Hello
		return nil
	case *wirepb.ServerFrame_Error:
		return refusal(op, b.Error)
	case *wirepb.ServerFrame_Kicked:
		return kicked(b.Kicked)
	}
	return chat.Errorf(chat.CodeMalformedFrame, op, "the server answered hello with %T", f.Body)
}

// next reads one frame. It may come without a body: one of a later version.
func (l *link) next(ctx context.Context) (*wirepb.ServerFrame, error) {
	_, r, err := l.ws.Reader(ctx)
	if err != nil {
		return nil, err
	}
	if l.buf.Cap() > keptBuffer {
		l.buf = bytes.Buffer{}
	}
	l.buf.Reset()
	if _, err := l.buf.ReadFrom(hearing{l, r}); err != nil {
		return nil, err
	}
	f, err := wire.Proto{}.DecodeServer(l.buf.Bytes())
	if chat.CodeOf(err) == chat.CodeUnknownFrame {
		err = nil
	}
	return f, err
}

// hearing reads a frame and notes that the server is alive with each part: a
// large one may take longer on a slow line than a silent server is given.
type hearing struct {
	l *link
	r io.Reader
}

// Read reads from the frame.
func (h hearing) Read(p []byte) (int, error) {
	n, err := h.r.Read(p)
	h.l.heard.Store(time.Now().UnixNano())
	return n, err
}

// read is the connection's reader: it answers requests and passes pushes on.
func (l *link) read() {
	for {
		f, err := l.next(l.ctx)
		if err != nil {
			l.end(closeError("receive", err))
			return
		}
		switch b := f.Body.(type) {
		case *wirepb.ServerFrame_Kicked:
			l.end(kicked(b.Kicked))
			return
		case *wirepb.ServerFrame_Error:
			if f.ReplyTo == 0 { // about a frame whose id the server could not read
				l.end(refusal("receive", b.Error))
				return
			}
		}
		switch done := l.take(f.ReplyTo); {
		case f.ReplyTo == 0:
			l.c.pushed(f)
		case done != nil:
			done(f, replyError(f))
		}
	}
}

// start sends a request: request's body under a new id. done is called exactly
// once, unless forget comes first. What the server would close the connection
// for is refused here, so that no other request suffers.
func (l *link) start(request *wirepb.ClientFrame, done reply) (id uint32) {
	l.mu.Lock()
	if l.pending == nil {
		l.mu.Unlock()
		done(nil, errLost)
		return 0
	}
	l.lastID++
	if l.lastID == 0 {
		l.lastID++
	}
	id = l.lastID
	l.pending[id] = done
	l.mu.Unlock()

	data, err := l.encode(&wirepb.ClientFrame{Id: id, Body: request.Body})
	if err != nil {
		if done := l.take(id); done != nil {
			done(nil, err)
		}
		return id
	}
	if err := l.ws.Write(l.ctx, websocket.MessageBinary, data); err != nil {
		l.end(closeError("send", err))
	}
	return id
}

// encode writes a frame that the server can take, or says why it could not.
func (l *link) encode(f *wirepb.ClientFrame) ([]byte, error) {
	data, err := wire.Proto{}.EncodeClient(f)
	if err != nil {
		return nil, chat.Errorf(chat.CodeInvalidParam, "request", "encode: %w", err)
	}
	if limit := int(l.welcome.GetLimits().GetFrameBytes()); limit > 0 && len(data) > limit {
		return nil, chat.Errorf(chat.CodeInvalidParam, "request", "the request has %d bytes; at most %d are allowed", len(data), limit)
	}
	return data, nil
}

// forget drops a request whose reply is no longer awaited.
func (l *link) forget(id uint32) { l.take(id) }

func (l *link) take(id uint32) reply {
	l.mu.Lock()
	defer l.mu.Unlock()
	done := l.pending[id]
	delete(l.pending, id)
	return done
}

// end closes the connection for the first cause given and answers what is open.
func (l *link) end(cause error) {
	l.mu.Lock()
	open := l.pending
	if open == nil {
		l.mu.Unlock()
		return
	}
	l.pending, l.cause = nil, cause
	l.beat.Stop()
	l.mu.Unlock()
	l.cancel()
	l.ws.CloseNow()
	close(l.lost)
	for _, done := range open {
		done(nil, errLost)
	}
	if l.c.o.NoReconnect && !l.c.closing.Load() {
		l.c.end(cause)
	}
}

// goodbye tells the server and waits a little for it to close.
func (l *link) goodbye(ctx context.Context) {
	wait, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	l.start(&wirepb.ClientFrame{Body: &wirepb.ClientFrame_Goodbye{Goodbye: &wirepb.Goodbye{}}}, ignore)
	select {
	case <-l.lost:
	case <-wait.Done():
	}
}

// With other servers to go to, a silent one is given up sooner: a node that
// hangs keeps its connections open.
const (
	manyInterval = 5 * time.Second
	manySilence  = 8 * time.Second
	manyReply    = 3 * time.Second // for a request, when nothing else comes either
)

func (l *link) interval() time.Duration {
	interval := millis(l.welcome.GetHeartbeatIntervalMs(), 10*time.Second)
	if l.c.many() {
		return min(interval, manyInterval)
	}
	return interval
}

// silent says whether nothing has come for a time.
func (l *link) silent(limit time.Duration) bool {
	return time.Since(time.Unix(0, l.heard.Load())) > limit
}

// heartbeat runs on the timer: it ends a link that the server left silent, else
// says that we are alive. It looks before it writes, since a write to a dead
// peer may block.
func (l *link) heartbeat() {
	limit := millis(l.welcome.GetHeartbeatTimeoutMs(), 35*time.Second)
	if l.c.many() {
		limit = min(limit, manySilence)
	}
	if l.silent(limit) {
		l.end(chat.Errorf(chat.CodeUnavailable, "receive", "the server was silent for more than %v", limit))
		return
	}
	l.mu.Lock()
	alive := l.pending != nil
	if alive {
		l.beat.Reset(l.interval())
	}
	l.mu.Unlock()
	if alive {
		l.start(&wirepb.ClientFrame{Body: &wirepb.ClientFrame_Ping{Ping: &wirepb.Ping{}}}, ignore)
	}
}

func ignore(*wirepb.ServerFrame, error) {}

func millis(ms uint32, otherwise time.Duration) time.Duration {
	if ms == 0 {
		return otherwise
	}
	return time.Duration(ms) * time.Millisecond
}
