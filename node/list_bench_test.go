package node

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"io"
	"log/slog"
	"os"
	"runtime"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/parley-im/parley/auth"
	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/client"
	"github.com/parley-im/parley/cluster/directory"
	"github.com/parley-im/parley/proto/wirepb"
	"github.com/parley-im/parley/storage"
)

// BenchmarkList (docs/performance.md) measures what a user with many conversations (PARLEY_CONVERSATIONS,
// 20,000 unless set) costs themselves and another pair that talks beside them, on
// one node:
//
//	go test -run ^$ -bench ^BenchmarkList$ -benchtime 1x ./node
func BenchmarkList(b *testing.B) {
	count := 20_000
	if s := os.Getenv("PARLEY_CONVERSATIONS"); s != "" {
		count, _ = strconv.Atoi(s)
	}
	l := newListBench(b, count)
	for b.Loop() {
		sends, reads := l.beside(func() { <-time.NewTimer(4 * time.Second).C })
		l.report("calm", sends, reads)
		heap := l.heap()
		begin := time.Now()
		l.list()
		b.ReportMetric(ms(time.Since(begin)), "first-ms")
		b.ReportMetric(float64(l.heap()-heap)/float64(count), "B/row")

		var pages, changed []time.Duration
		sends, reads = l.beside(func() {
			for range 500 {
				pages = append(pages, timed(l.list))
				l.change()
				changed = append(changed, timed(l.list))
			}
		})
		l.report("pages", sends, reads)
		b.ReportMetric(p99(pages), "page-p99-ms")
		b.ReportMetric(ms(pages[len(pages)/2]), "page-p50-ms")
		b.ReportMetric(p99(changed), "changed-p99-ms")
		sends, reads = l.beside(func() {
			for range max(4, 400_000/count) {
				l.node.directory.Lost(l.node.directory.Shard(directory.SessionOf(l.user)))
				l.list()
			}
		})
		l.report("firsts", sends, reads)
	}
}

// listBench is a node with a user of many conversations, and a pair.
type listBench struct {
	*testing.B
	node           *Node
	leader         func(storage.ShardID) *Node
	user           chat.UserKey
	count          int
	main, ann, bob *client.Client
}

const benchSecret = "0123456789abcdef0123456789abcdef"

func newListBench(b *testing.B, count int) *listBench {
	b.Helper()
	n, err := Start(b.Context(), Options{
		Addr: "127.0.0.1:0", Data: b.TempDir(), Shards: 128, Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
		Apps: []App{{App: auth.App{ID: 1, Secret: benchSecret}, Limits: chat.DefaultLimits()}},
	})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := n.Close(context.Background()); err != nil {
			b.Error(err)
		}
	})
	l := &listBench{B: b, node: n, leader: func(storage.ShardID) *Node { return n }, count: count, user: chat.UserKey{App: 1, ID: "main"}}
	l.main, l.ann, l.bob = l.login("main"), l.login("ann"), l.login("bob")
	l.say()
	l.fill()
	return l
}

func (l *listBench) login(user string) *client.Client {
	l.Helper()
	token, err := auth.Generate04(1, user, benchSecret, time.Hour, time.Now(), rand.Reader)
	if err != nil {
		l.Fatal(err)
	}
	c, err := client.Dial(l.Context(), client.Options{
		Servers: []string{l.node.URL()}, AppID: 1, UserID: user, Token: token, NoReconnect: true, OnMessage: func(client.Message) {},
	})
	if err != nil {
		l.Fatal(err)
	}
	l.Cleanup(func() { _ = c.Close(context.Background()) })
	return c
}

func peerName(i int) string { return fmt.Sprintf("u%06d", i) }

// fill proposes a message of each peer, and that each conversation is the user's.
func (l *listBench) fill() {
	sends, marks := make(map[storage.ShardID][]chat.CommandBody), []chat.CommandBody{}
	shards := l.node.host.Shards()
	for i := range l.count {
		key := chat.PeerConversation(1, l.user.ID, peerName(i))
		shard := storage.ConversationShard(shards, key)
		s := chat.Send{
			Conversation: key, Sender: peerName(i), IssuedAt: time.Now().UnixMilli(), Window: chat.DefaultLimits().Dedupe,
			Type: chat.TypeText, Content: wirepb.EncodeContent(&chat.Message{Body: make([]byte, 200)}),
		}
		binary.BigEndian.PutUint64(s.ClientMessageID[:], uint64(i))
		sends[shard] = append(sends[shard], &s)
		marks = append(marks, chat.MarkRead{User: l.user, Conversation: key})
	}
	for shard, all := range sends {
		l.propose(shard, all)
	}
	l.propose(storage.UserShard(shards, l.user), marks)
	for shard := 1; shard <= shards; shard++ {
		l.drain(storage.ShardID(shard))
	}
}

// drain has the outbox of a shard delivered.
func (l *listBench) drain(shard storage.ShardID) {
	for left := 1; left > 0; {
		l.retry(func(done chan error) {
			n := l.leader(shard)
			n.recoverShard(shard)
			n.host.Read(shard, storage.Asker{ID: "bench"}, func(v storage.View) error {
				all, err := v.Undelivered()
				left = len(all)
				return err
			}, func(err error) { done <- err })
		})
		<-time.NewTimer(20 * time.Millisecond).C
	}
}

func (l *listBench) propose(shard storage.ShardID, all []chat.CommandBody) {
	for some := range slices.Chunk(all, 256) {
		l.retry(func(done chan error) {
			n := l.leader(shard)
			term, err := n.host.Leader(shard)
			if err != nil {
				done <- err
				return
			}
			n.host.Propose(shard, term, some, func(_ storage.Outcome, err error) { done <- err })
		})
	}
}

// retry repeats what may be done twice while shards move.
func (l *listBench) retry(do func(done chan error)) {
	for {
		done := make(chan error, 1)
		do(done)
		err := <-done
		if err == nil {
			return
		}
		if !chat.CodeOf(err).Retryable() {
			l.Error(err)
			return
		}
		<-time.NewTimer(20 * time.Millisecond).C
	}
}

// list asks for the first page.
func (l *listBench) list() {
	page, err := l.main.Conversations(l.Context(), client.ConversationsRequest{Count: 20})
	if err != nil || len(page.Conversations) != 20 || page.TotalUnread < uint64(l.count) {
		l.Fatalf("a page of %d with %d unread, %v", len(page.Conversations), page.TotalUnread, err)
	}
}

// change has one conversation of the user's change.
func (l *listBench) change() { l.send(l.ann, "main") }

func (l *listBench) say() { l.send(l.ann, "bob") }

func (l *listBench) send(c *client.Client, to string) {
	if err := l.try(c, to); err != nil {
		l.Fatal(err)
	}
}

func (l *listBench) try(c *client.Client, to string) error {
	_, err := c.Send(l.Context(), client.SendRequest{Peer: to, Message: chat.Message{Type: chat.TypeText, Body: []byte("hi")}})
	return err
}

// beside measures the pair's sends and reads while something goes on.
func (l *listBench) beside(during func()) (sends, reads []time.Duration) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		during()
	}()
	every := time.NewTicker(4 * time.Millisecond)
	defer every.Stop()
	for {
		select {
		case <-done:
			return sends, reads
		case <-every.C:
		}
		sends = append(sends, timed(l.say))
		reads = append(reads, timed(func() {
			if _, err := l.bob.History(l.Context(), client.HistoryRequest{Peer: "ann", Count: 20, NewestFirst: true}); err != nil {
				l.Fatal(err)
			}
		}))
	}
}

func (l *listBench) report(when string, sends, reads []time.Duration) {
	l.ReportMetric(p99(sends), when+"-send-p99-ms")
	l.ReportMetric(p99(reads), when+"-read-p99-ms")
}

func (l *listBench) heap() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func timed(do func()) time.Duration {
	begin := time.Now()
	do()
	return time.Since(begin)
}

func p99(all []time.Duration) float64 {
	slices.Sort(all)
	return ms(all[len(all)*99/100])
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
