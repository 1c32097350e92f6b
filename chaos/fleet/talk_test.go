package fleet_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/parley-im/parley/auth"
	"github.com/parley-im/parley/chaos/fleet"
	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/client"
	"github.com/parley-im/parley/storage"
)

const (
	app    = 7
	secret = "0123456789abcdef0123456789abcdef"
)

// binaries are parley, built once for all tests: without and with failpoints.
var binaries = struct{ plain, failing func() (string, error) }{build(""), build("failpoint")}

// folder is where they are.
var folder string

func TestMain(m *testing.M) {
	var err error
	if folder, err = os.MkdirTemp("", "parley-fleet"); err != nil {
		panic(err)
	}
	code := m.Run()
	_ = os.RemoveAll(folder)
	os.Exit(code)
}

func build(tags string) func() (string, error) {
	return sync.OnceValues(func() (string, error) {
		name := filepath.Join(folder, "parley"+tags)
		build := exec.Command("go", "build", "-tags", tags, "-o", name, "github.com/parley-im/parley/cmd/parley")
		if out, err := build.CombinedOutput(); err != nil {
			return "", fmt.Errorf("%w: %s", err, out)
		}
		return name, nil
	})
}

// withFailpoints has the nodes run a build that ends where it is asked to.
func withFailpoints(t *testing.T, o *fleet.Options) {
	bin, err := binaries.failing()
	if err != nil {
		t.Fatal(err)
	}
	o.Binary = bin
}

// begin starts a cluster of so many nodes.
func begin(ctx context.Context, t *testing.T, nodes int, change ...func(*testing.T, *fleet.Options)) *fleet.Fleet {
	t.Helper()
	if testing.Short() {
		t.Skip("builds and runs processes")
	}
	o := fleet.Options{Dir: t.TempDir(), Apps: []string{fmt.Sprintf("%d:%s", app, secret)}, Shards: 16}
	for _, c := range change {
		c(t, &o)
	}
	if o.Binary == "" {
		bin, err := binaries.plain()
		if err != nil {
			t.Fatal(err)
		}
		o.Binary = bin
	}
	f := fleet.New(o)
	t.Cleanup(func() {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			for _, n := range f.Nodes() {
				text, _ := os.ReadFile(n.LogFile())
				t.Logf("%s printed:\n%s", n.Name, text[max(0, len(text)-6000):])
			}
		}
	})
	if err := f.Begin(ctx, nodes); err != nil {
		t.Fatal(err)
	}
	return f
}

// talk is users who write to each other in pairs, each on a node of its own
// choice, while things happen to the nodes.
type talk struct {
	*testing.T
	speakers []*speaker
	stop     chan struct{}
	running  sync.WaitGroup
	paused   atomic.Bool
}

// speaker is one user. What it hears is numbered by the other side: 0, 1, 2 ...
type speaker struct {
	name, peer string
	client     *client.Client
	mu         sync.Mutex
	acked      []uint64 // seqs of own messages, by number
	ackedAt    []time.Time
	heard      int // numbers of the other side's messages that came, in order
	lastSeq    uint64
	wrong      []string
	failed     int
	unstable   int // times that the connection was lost
}

func (s *speaker) note(format string, args ...any) {
	s.wrong = append(s.wrong, fmt.Sprintf(format, args...))
}

// hear checks that each message is the next one.
func (s *speaker) hear(m client.Message) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if m.Seq <= s.lastSeq {
		s.note("seq %d came after %d", m.Seq, s.lastSeq)
	}
	s.lastSeq = m.Seq
	if n, err := strconv.Atoi(string(m.Body)); err != nil || n != s.heard {
		s.note("%q came where %d was next", m.Body, s.heard)
	} else {
		s.heard++
	}
}

func token(user string) (string, error) {
	return auth.Generate04(app, user, secret, time.Hour, time.Now(), rand.Reader)
}

// talks counts, so that no two of them share users.
var talks atomic.Int64

// converse logs pairs of users in, user i on node i first, and has them write.
func converse(ctx context.Context, test *testing.T, f *fleet.Fleet, pairs int) *talk {
	round := talks.Add(1)
	return converseAs(ctx, test, f, pairs, func(i int) string { return fmt.Sprintf("talk%d-user%d", round, i) })
}

// converseOn does so with pairs whose conversations a node leads.
func converseOn(ctx context.Context, test *testing.T, f *fleet.Fleet, pairs int, n *fleet.Node) *talk {
	test.Helper()
	s, err := n.Status(ctx)
	if err != nil {
		test.Fatal(err)
	}
	var names []string
	for i := 0; len(names) < 2*pairs; i++ {
		round := talks.Add(1)
		a, b := fmt.Sprintf("talk%d-a", round), fmt.Sprintf("talk%d-b", round)
		shard := storage.ConversationShard(s.ShardsTotal, chat.PeerConversation(app, a, b))
		if s.Shards[shard-1].Leader == s.Node {
			names = append(names, a, b)
		}
	}
	return converseAs(ctx, test, f, pairs, func(i int) string { return names[i] })
}

func converseAs(ctx context.Context, test *testing.T, f *fleet.Fleet, pairs int, name func(i int) string) *talk {
	t := &talk{T: test, stop: make(chan struct{})}
	urls := f.URLs()
	for i := range 2 * pairs {
		s := &speaker{name: name(i), peer: name(i ^ 1)}
		t.speakers = append(t.speakers, s)
		tok, err := token(s.name)
		if err != nil {
			t.Fatal(err)
		}
		s.client, err = dial(ctx, client.Options{
			Servers: append(append([]string{}, urls[i%len(urls):]...), urls[:i%len(urls)]...), AppID: app, UserID: s.name, Token: tok,
			OnMessage: s.hear, AttemptTimeout: 5 * time.Second, MaxBackoff: time.Second,
			OnState: func(state client.State, _ error) {
				if state == client.StateReconnecting {
					s.mu.Lock()
					s.unstable++
					s.mu.Unlock()
				}
			},
		})
		if err != nil {
			t.Fatalf("%s: %v", s.name, err)
		}
	}
	for _, s := range t.speakers {
		t.running.Go(func() { t.speak(ctx, s) })
	}
	return t
}

// dial logs in, and again after a refusal that lasts only a while: Dial makes one
// attempt, and the user's shard may be changing its leader at the time.
func dial(ctx context.Context, o client.Options) (*client.Client, error) {
	again := time.NewTicker(50 * time.Millisecond)
	defer again.Stop()
	for {
		c, err := client.Dial(ctx, o)
		if err == nil || !chat.CodeOf(err).Retryable() || ctx.Err() != nil {
			return c, err
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			return nil, err
		}
	}
}

// speak sends one message after the other; each must be acknowledged in the end.
func (t *talk) speak(ctx context.Context, s *speaker) {
	pace := time.NewTicker(5 * time.Millisecond)
	defer pace.Stop()
	for n := 0; ; n++ {
		select {
		case <-t.stop:
			return
		case <-pace.C:
		}
		for t.paused.Load() {
			select {
			case <-t.stop:
				return
			case <-pace.C:
			}
		}
		ack, err := s.client.Send(ctx, client.SendRequest{Peer: s.peer, Message: chat.Message{Type: chat.TypeText, Body: []byte(strconv.Itoa(n))}})
		s.mu.Lock()
		if err != nil {
			s.failed++
			s.note("message %d: %v", n, err)
			s.mu.Unlock()
			return
		}
		s.acked = append(s.acked, ack.Seq)
		s.ackedAt = append(s.ackedAt, time.Now())
		s.mu.Unlock()
	}
}

// finish ends the talk and checks that everybody heard everything, once, in
// order, and that the history of any node says the same.
func (t *talk) finish(ctx context.Context) (acked int) {
	t.Helper()
	close(t.stop)
	t.running.Wait()
	for i, s := range t.speakers {
		other := t.speakers[i^1]
		t.await(ctx, fmt.Sprintf("%s heard what %s said", s.name, s.peer), func() bool {
			other.mu.Lock()
			want := len(other.acked)
			other.mu.Unlock()
			s.mu.Lock()
			defer s.mu.Unlock()
			return s.heard >= want || len(s.wrong) > 0
		})
	}
	for _, s := range t.speakers {
		s.mu.Lock()
		acked += len(s.acked)
		if len(s.wrong) > 0 {
			t.Errorf("%s: %d mistakes, first: %s", s.name, len(s.wrong), s.wrong[0])
		}
		s.mu.Unlock()
		t.checkHistory(ctx, s)
		if err := s.client.Close(ctx); err != nil {
			t.Errorf("%s: close: %v", s.name, err)
		}
	}
	return acked
}

// checkHistory wants every acknowledged message of a speaker at its seq.
func (t *talk) checkHistory(ctx context.Context, s *speaker) {
	at := make(map[uint64]string)
	for after, more := uint64(0), true; more; {
		page, err := s.client.History(ctx, client.HistoryRequest{Peer: s.peer, After: after, Count: 100})
		if err != nil {
			t.Errorf("%s: history after %d: %v", s.name, after, err)
			return
		}
		for _, m := range page.Messages {
			if m.Seq != after+1 {
				t.Errorf("%s: seq %d stands after %d", s.name, m.Seq, after)
			}
			after = m.Seq
			if m.Sender == s.name {
				at[m.Seq] = string(m.Body)
			}
		}
		more = after < page.Head
		if len(page.Messages) == 0 && more {
			t.Errorf("%s: the history ends at %d of %d", s.name, after, page.Head)
			return
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(at) != len(s.acked) {
		t.Errorf("%s: %d messages stand in the history, %d were acknowledged", s.name, len(at), len(s.acked))
	}
	for n, seq := range s.acked {
		if at[seq] != strconv.Itoa(n) {
			t.Errorf("%s: message %d was acknowledged at %d, where %q stands", s.name, n, seq, at[seq])
			return
		}
	}
}

// gap is the longest time without an ack for anybody since a moment: how long a
// conversation stood still.
func (t *talk) gap(since time.Time) (longest time.Duration) {
	for _, s := range t.speakers {
		s.mu.Lock()
		last := since
		for _, at := range s.ackedAt {
			if at.After(since) {
				longest = max(longest, at.Sub(last))
				last = at
			}
		}
		s.mu.Unlock()
	}
	return longest.Round(time.Millisecond)
}

// goesOn waits until every speaker had another message acknowledged.
func (t *talk) goesOn(ctx context.Context) {
	t.Helper()
	since := time.Now()
	t.await(ctx, "everybody's messages are acknowledged", func() bool {
		for _, s := range t.speakers {
			s.mu.Lock()
			at := s.ackedAt
			s.mu.Unlock()
			if len(at) == 0 || at[len(at)-1].Before(since) {
				return false
			}
		}
		return true
	})
}

// await asks again and again whether something holds, as other processes do not
// tell.
func (t *talk) await(ctx context.Context, what string, holds func() bool) {
	t.Helper()
	await(ctx, t.T, what, holds)
}

func await(ctx context.Context, t *testing.T, what string, holds func() bool) {
	t.Helper()
	again := time.NewTicker(10 * time.Millisecond)
	defer again.Stop()
	for !holds() {
		select {
		case <-again.C:
		case <-ctx.Done():
			t.Fatalf("it does not come to be that %s", what)
		}
	}
}
