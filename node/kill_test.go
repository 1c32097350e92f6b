package node_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
	"google.golang.org/protobuf/proto"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/proto/wirepb"
	"github.com/parley-im/parley/transport/wire"
)

const (
	killRounds = 20
	killWindow = 8 // sends of a user that await their answer
)

var killUsers = []string{"alice", "bob", "carol", "dave", "lilei", "hanmeimei"}

// TestKill9LosesNothingThatWasAcknowledged kills the real process again and
// again while six users write to each other, and holds the logs against what
// they were told.
func TestKill9LosesNothingThatWasAcknowledged(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and kills a process")
	}
	s := newServer(t)
	s.start()
	secret, err := os.ReadFile(filepath.Join(s.data, "dev-secret"))
	if err != nil {
		t.Fatal(err)
	}
	var writers []*writer
	var running sync.WaitGroup
	for _, name := range killUsers {
		w := &writer{T: t, server: s, name: name, token: token(t, 1, string(secret), name, time.Hour), acked: map[chat.ClientMessageID]uint64{}}
		writers = append(writers, w)
		running.Go(w.run)
	}
	for range killRounds {
		s.await(random(300))
		s.kill()
		s.start()
	}
	s.await(100)
	s.finish()
	running.Wait()

	var all audit
	for _, w := range writers {
		all.check(t, w, writers)
	}
	s.kill()
	if t.Failed() {
		return
	}
	t.Logf("%d kills of the process: %d sends acknowledged, %d sent again, %d messages in %d conversations; 0 lost, 0 duplicated, 0 gaps, in order",
		killRounds, all.acked, all.retried, all.messages, all.conversations)
}

// random is 0 to n-1.
func random(n int64) int {
	i, _ := rand.Int(rand.Reader, big.NewInt(n)) // never fails
	return int(i.Int64())
}

// server is the process, over its lives.
type server struct {
	*testing.T
	binary, data string

	mu      sync.Mutex
	changed *sync.Cond
	process *exec.Cmd
	url     string // empty while it is down
	acks    int
	over    bool
}

func newServer(t *testing.T) *server {
	t.Helper()
	dir := t.TempDir()
	s := &server{T: t, binary: filepath.Join(dir, "parley"), data: filepath.Join(dir, "data")}
	s.changed = sync.NewCond(&s.mu)
	build := exec.CommandContext(t.Context(), "go", "build", "-o", s.binary, "github.com/parley-im/parley/cmd/parley")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	t.Cleanup(s.kill)
	return s
}

var readyLine = regexp.MustCompile(`http://127\.0\.0\.1:\d+`)

// start runs the process and returns when it says where it listens.
func (s *server) start() {
	s.Helper()
	p := exec.Command(s.binary, "dev", "--addr", "127.0.0.1:0", "--data", s.data)
	out, err := p.StdoutPipe()
	if err == nil {
		err = p.Start()
	}
	if err != nil {
		s.Fatal(err)
	}
	s.mu.Lock()
	s.process = p
	s.mu.Unlock()
	line, err := bufio.NewReader(out).ReadString('\n')
	url := readyLine.FindString(line)
	if url == "" {
		s.Fatalf("the process said %q, %v", line, err)
	}
	s.set(func() { s.url = url })
}

// kill ends the process with SIGKILL; once it is dead, that is nothing.
func (s *server) kill() {
	var p *exec.Cmd
	s.set(func() { p, s.process, s.url = s.process, nil, "" })
	if p == nil {
		return
	}
	if err := p.Process.Kill(); err != nil {
		s.Errorf("kill: %v", err)
	}
	_ = p.Wait() // says that it was killed
}

func (s *server) set(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f()
	s.changed.Broadcast()
}

// await returns when n more sends are acknowledged.
func (s *server) await(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for n += s.acks; s.acks < n && !s.Failed(); {
		s.changed.Wait()
	}
}

func (s *server) finish() { s.set(func() { s.over = true }) }

func (s *server) finishing() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.over
}

// up waits for the process to be there and gives its address; empty when the
// test has failed.
func (s *server) up() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.url == "" && !s.Failed() {
		s.changed.Wait()
	}
	return s.url
}

// writer is a user who writes, and writes again what was not acknowledged.
type writer struct {
	*testing.T
	server      *server
	name, token string

	sends   []*wirepb.SendMessage // all that were ever begun, in order
	pending []*wirepb.SendMessage // of those, what has no answer
	acked   map[chat.ClientMessageID]uint64
	retried int
}

// run writes until the server's test is over and everything is acknowledged.
func (w *writer) run() {
	for !w.session() {
		if w.Failed() {
			w.server.set(func() {}) // let others look
			return
		}
	}
}

// session is one connection; true when all is done.
func (w *writer) session() (done bool) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	ws, _, err := websocket.Dial(ctx, w.server.up()+"/ws", &websocket.DialOptions{Subprotocols: []string{wire.SubprotocolProto}})
	if err != nil {
		return false
	}
	defer func() { _ = ws.CloseNow() }()
	ws.SetReadLimit(16 << 20)
	c := &wireClient{ctx: ctx, ws: ws, waiting: map[uint32]*wirepb.SendMessage{}}
	if !c.say(helloFrame(hello(1, w.name, w.token))) {
		return false
	}
	if f := c.hear(); f == nil {
		return false
	} else if f.GetHello() == nil {
		w.Errorf("%s was not welcomed: %v", w.name, f)
		return false
	}
	w.retried += len(w.pending)
	for _, s := range w.pending {
		if !c.send(s) {
			return false
		}
	}
	return w.exchange(c)
}

// exchange keeps the window full and takes the answers.
func (w *writer) exchange(c *wireClient) (done bool) {
	heads := map[string]*wirepb.Message{}
	for {
		for len(w.pending) < killWindow && !w.server.finishing() {
			if !c.send(w.fresh()) {
				return false
			}
		}
		if len(w.pending) == 0 {
			return true
		}
		f := c.hear()
		switch {
		case f == nil:
			return false
		case f.GetSendMessage() != nil:
			w.acknowledged(c.waiting[f.ReplyTo], f.GetSendMessage())
		case f.GetMessage() != nil:
			m := f.GetMessage()
			head := heads[m.SenderId+" "+m.TargetId]
			// What may be lost is pushed again (ADR 6 and 12): the newest message, as it was.
			if head != nil && m.Seq <= head.Seq && !proto.Equal(m, head) {
				w.Errorf("%s was pushed %d of %s after %d", w.name, m.Seq, m.SenderId, head.Seq)
			}
			heads[m.SenderId+" "+m.TargetId] = m
		case f.GetError() != nil:
			if !f.GetError().Retryable {
				w.Errorf("%s: %v", w.name, f)
			}
			return false // and all again, in order
		}
	}
}

func (w *writer) fresh() *wirepb.SendMessage {
	target := w.name
	for target == w.name {
		target = killUsers[random(int64(len(killUsers)))]
	}
	s := text(target, fmt.Sprintf("%s %d", w.name, len(w.sends)))
	w.sends, w.pending = append(w.sends, s), append(w.pending, s)
	return s
}

// acknowledged moves a send from pending to acked.
func (w *writer) acknowledged(s *wirepb.SendMessage, ack *wirepb.SendMessageReply) {
	for i, p := range w.pending {
		if p == s {
			w.pending = append(w.pending[:i:i], w.pending[i+1:]...)
			w.acked[chat.ClientMessageID(s.ClientMessageId)] = ack.Seq
			w.server.set(func() { w.server.acks++ })
			return
		}
	}
	w.Errorf("%s: an ack for nothing that waits: %v", w.name, ack)
}

// wireClient writes and reads frames until the connection breaks.
type wireClient struct {
	ctx     context.Context
	ws      *websocket.Conn
	next    uint32
	waiting map[uint32]*wirepb.SendMessage
}

func (c *wireClient) say(f *wirepb.ClientFrame) bool {
	c.next++
	f.Id = c.next
	data, err := (wire.Proto{}).EncodeClient(f)
	return err == nil && c.ws.Write(c.ctx, websocket.MessageBinary, data) == nil
}

func (c *wireClient) send(s *wirepb.SendMessage) bool {
	c.waiting[c.next+1] = s
	return c.say(sendFrame(s))
}

// hear gives the next frame, nil when the connection is broken.
func (c *wireClient) hear() *wirepb.ServerFrame {
	_, data, err := c.ws.Read(c.ctx)
	if err != nil {
		return nil
	}
	f, err := (wire.Proto{}).DecodeServer(data)
	if err != nil {
		return nil
	}
	return f
}

// audit counts what it has held against the logs.
type audit struct{ acked, retried, messages, conversations int }

// check reads every conversation of w with a user after it, and holds it
// against what both have said and were told.
func (a *audit) check(t *testing.T, w *writer, all []*writer) {
	a.acked += len(w.acked)
	a.retried += w.retried
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	ws, _, err := websocket.Dial(ctx, w.server.up()+"/ws", &websocket.DialOptions{Subprotocols: []string{wire.SubprotocolProto}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = ws.CloseNow() }()
	ws.SetReadLimit(16 << 20)
	p := &peer{t: t, ws: ws, codec: wire.Proto{}}
	p.welcome(hello(1, w.name, w.token))
	for _, other := range all {
		if w.name < other.name {
			log := wholeHistory(t, p, other.name)
			a.conversations++
			a.messages += len(log)
			inOrder(t, w, other, log)
			inOrder(t, other, w, log)
			if n := said(w, other.name) + said(other, w.name); n != len(log) {
				t.Errorf("%s and %s have said %d and %d are there", w.name, other.name, n, len(log))
			}
		}
	}
}

// wholeHistory reads page by page from 1 to the head, without a gap.
func wholeHistory(t *testing.T, p *peer, other string) (log []*wirepb.Message) {
	for {
		page := p.history(&wirepb.QueryMessages{Conversation: to(other), AfterSeq: uint64(len(log)), Count: 100})
		log = append(log, page.Messages...)
		for i, m := range log[len(log)-len(page.Messages):] {
			if want := uint64(len(log) - len(page.Messages) + i + 1); m.Seq != want {
				t.Fatalf("seq %d at place %d", m.Seq, want)
			}
		}
		if uint64(len(log)) >= page.HeadSeq || len(page.Messages) == 0 {
			return log
		}
	}
}

func said(w *writer, target string) (n int) {
	for _, s := range w.sends {
		if s.Conversation.Id == target {
			n++
		}
	}
	return n
}

// inOrder wants all that w has said to the other in the log once, at the seq
// that was acknowledged, with its words, and in the order of its saying.
func inOrder(t *testing.T, w, other *writer, log []*wirepb.Message) {
	place := map[chat.ClientMessageID]*wirepb.Message{}
	for _, m := range log {
		if m.SenderId != w.name {
			continue
		}
		id := chat.ClientMessageID(m.ClientMessageId)
		if place[id] != nil {
			t.Errorf("%q of %s is there twice, at %d and %d", bodyOf(m.Content), w.name, place[id].Seq, m.Seq)
		}
		place[id] = m
	}
	last := uint64(0)
	for _, s := range w.sends {
		if s.Conversation.Id != other.name {
			continue
		}
		id := chat.ClientMessageID(s.ClientMessageId)
		m := place[id]
		switch {
		case m == nil:
			t.Errorf("%q of %s was acknowledged as %d and is lost", bodyOf(s.Content), w.name, w.acked[id])
			continue
		case m.Seq != w.acked[id] || !bytes.Equal(m.Content, s.Content):
			t.Errorf("%q of %s was acknowledged as %d; at %d is %q", bodyOf(s.Content), w.name, w.acked[id], m.Seq, bodyOf(m.Content))
		case m.Seq <= last:
			t.Errorf("%q of %s is at %d, what was said before it at %d", bodyOf(s.Content), w.name, m.Seq, last)
		}
		last = m.Seq
	}
}
