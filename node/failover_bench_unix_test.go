//go:build unix

package node

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/parley-im/parley/auth"
	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/client"
	"github.com/parley-im/parley/internal/loopback"
	"github.com/parley-im/parley/proto/wirepb"
	"github.com/parley-im/parley/storage"
)

// BenchmarkFailover (docs/performance.md) has two nodes with users (PARLEY_USERS, 1,000 unless set) of 50
// conversations each lose the third one, and measures what that costs them in the
// first seconds: CPU, bytes between nodes, and the sends of a pair of which nothing
// was on the lost node.
//
//	go test -run ^$ -bench ^BenchmarkFailover$ -benchtime 1x ./node
func BenchmarkFailover(b *testing.B) {
	users := 1000
	if s := os.Getenv("PARLEY_USERS"); s != "" {
		users, _ = strconv.Atoi(s)
	}
	f := &failoverBench{B: b}
	f.start()
	f.fill(users)
	f.login(users)
	f.settle()
	for b.Loop() {
		f.window("calm", 6*time.Second)
		f.cut.Store(true)
		f.window("failover", 6*time.Second)
	}
}

type failoverBench struct {
	*testing.B
	nodes    []*Node
	pair     []*client.Client
	pairTo   string
	bytes    atomic.Int64 // between nodes
	messages atomic.Int64 // writes of them
	cut      atomic.Bool  // the first node is
}

const failoverShards = 64

func (f *failoverBench) start() {
	all := make([]Options, 3)
	home := make(map[string]int)
	for i := range all {
		o := Options{
			Addr: "127.0.0.1:0", Data: f.TempDir(), Shards: failoverShards, Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
			Apps: []App{{App: auth.App{ID: 1, Secret: benchSecret}, Limits: chat.DefaultLimits()}},
		}
		o.Cluster = ClusterOptions{PeerAddr: f.addr(), ActorAddr: f.addr(), GossipAddr: f.addr(), Expect: 3, Dial: func(ctx context.Context, network, addr string) (net.Conn, error) {
			if f.cut.Load() && (i == 0 || home[addr] == 0) {
				return nil, errors.New("cut off")
			}
			c, err := new(net.Dialer).DialContext(ctx, network, addr)
			if err != nil {
				return nil, err
			}
			return &benchLine{c, f, i == 0 || home[addr] == 0}, nil
		}}
		home[o.Cluster.PeerAddr], home[o.Cluster.ActorAddr] = i, i
		all[i] = o
	}
	f.nodes = make([]*Node, len(all))
	var starting sync.WaitGroup
	for i, o := range all {
		for j := range all {
			if j != i {
				o.Cluster.Join = append(o.Cluster.Join, all[j].Cluster.GossipAddr)
			}
		}
		starting.Go(func() {
			var err error
			if f.nodes[i], err = Start(f.Context(), o); err != nil {
				f.Error(err)
			}
		})
	}
	starting.Wait()
	f.Cleanup(func() {
		for _, n := range f.nodes {
			_ = n.Close(context.Background())
		}
	})
	f.settle()
}

// settle waits until all nodes lead as many shards, for three seconds.
func (f *failoverBench) settle() {
	look := time.NewTicker(100 * time.Millisecond)
	defer look.Stop()
	for even := 0; even < 30; <-look.C {
		led := 0
		for _, n := range f.nodes {
			if l := n.host.Stats().Leading; l >= failoverShards/3 {
				led += l
			}
		}
		if even++; led != failoverShards {
			even = 0
		}
	}
}

func (f *failoverBench) addr() string {
	a, err := loopback.Addr()
	if err != nil {
		f.Fatal(err)
	}
	return a
}

// benchLine counts what a dialer of a node writes and reads.
type benchLine struct {
	net.Conn
	f     *failoverBench
	first bool // to or from the first node
}

func (l *benchLine) Write(p []byte) (int, error) {
	if l.first && l.f.cut.Load() {
		return 0, errors.Join(net.ErrClosed, l.Close())
	}
	l.f.bytes.Add(int64(len(p)))
	l.f.messages.Add(1)
	return l.Conn.Write(p)
}

func (l *benchLine) Read(p []byte) (int, error) {
	n, err := l.Conn.Read(p)
	if l.first && l.f.cut.Load() {
		return 0, errors.Join(net.ErrClosed, l.Close())
	}
	l.f.bytes.Add(int64(n))
	return n, err
}

// leader gives the node that leads a shard.
func (f *failoverBench) leader(shard storage.ShardID) *Node {
	for {
		for _, n := range f.nodes {
			if _, err := n.host.Leader(shard); err == nil {
				return n
			}
		}
	}
}

// fill has each user talk with the 25 after them and so with the 25 before.
func (f *failoverBench) fill(users int) {
	sends := make(map[storage.ShardID][]chat.CommandBody)
	for i := range users {
		for n := 1; n <= 25; n++ {
			key := chat.PeerConversation(1, peerName(i), peerName((i+n)%users))
			s := chat.Send{
				Conversation: key, Sender: peerName(i), IssuedAt: time.Now().UnixMilli(), Window: chat.DefaultLimits().Dedupe,
				Type: chat.TypeText, Content: wirepb.EncodeContent(&chat.Message{Body: make([]byte, 200)}),
			}
			binary.BigEndian.PutUint64(s.ClientMessageID[:], uint64(i*100+n))
			shard := storage.ConversationShard(failoverShards, key)
			sends[shard] = append(sends[shard], &s)
		}
	}
	l := &listBench{B: f.B, leader: f.leader}
	for shard, all := range sends {
		l.propose(shard, all)
		l.drain(shard)
	}
}

func (f *failoverBench) login(users int) {
	var coming sync.WaitGroup
	next := make(chan int)
	for range 32 {
		coming.Go(func() {
			for i := range next {
				(&listBench{B: f.B, node: f.nodes[1+i%2]}).login(peerName(i))
			}
		})
	}
	for i := range users {
		next <- i
	}
	close(next)
	coming.Wait()
	// A pair with nothing on the first node.
	off := func(shard storage.ShardID) bool { return f.leader(shard) != f.nodes[0] }
	for i := 0; len(f.pair) == 0; i++ {
		a, z := fmt.Sprint("a", i), fmt.Sprint("z", i)
		if off(storage.UserShard(failoverShards, chat.UserKey{App: 1, ID: a})) && off(storage.UserShard(failoverShards, chat.UserKey{App: 1, ID: z})) &&
			off(storage.ConversationShard(failoverShards, chat.PeerConversation(1, a, z))) {
			l := &listBench{B: f.B, node: f.nodes[1]}
			f.pair = []*client.Client{l.login(a), (&listBench{B: f.B, node: f.nodes[2]}).login(z)}
			l.send(f.pair[0], z)
			f.Logf("the pair is %s and %s", a, z)
			f.pairTo = z
		}
	}
}

// window measures the pair's sends for a while, and what all of it costs.
func (f *failoverBench) window(when string, length time.Duration) {
	end := time.NewTimer(length)
	defer end.Stop()
	every := time.NewTicker(4 * time.Millisecond)
	defer every.Stop()
	cpu, bytes, messages := processCPU(), f.bytes.Load(), f.messages.Load()
	var sends []time.Duration
	unknown := 0
	l := &listBench{B: f.B}
	for {
		select {
		case <-end.C:
			slices.Sort(sends)
			f.ReportMetric(p99(sends), when+"-send-p99-ms")
			f.ReportMetric(ms(sends[len(sends)-1]), when+"-send-max-ms")
			f.ReportMetric(float64(unknown), when+"-again")
			f.ReportMetric((processCPU() - cpu).Seconds(), when+"-CPU-s")
			f.ReportMetric(float64(f.bytes.Load()-bytes)/1e6, when+"-MB")
			f.ReportMetric(float64(f.messages.Load()-messages), when+"-writes")
			return
		case <-every.C:
			sends = append(sends, timed(func() {
				for l.try(f.pair[0], f.pairTo) != nil { // refused or unknown
					unknown++
				}
			}))
		}
	}
}

func processCPU() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
