package link_test

import (
	"net"
	"runtime"
	"testing"

	"github.com/parley-im/parley/cluster/link"
	"github.com/parley-im/parley/proto/peerpb"
	"github.com/parley-im/parley/storage"
)

// BenchmarkAppends sends appends of one entry of 300 bytes over loopback, as
// fast as the other side takes them.
func BenchmarkAppends(b *testing.B) {
	up, got := make(chan struct{}, 2), make(chan struct{})
	received := 0
	begin := func(id storage.NodeID) (*link.Link, string) {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			b.Fatal(err)
		}
		l, err := link.New(link.Options{
			Node: id, Cluster: "bench", Listener: listener,
			Snapshot: func(storage.NodeID, *peerpb.Message) (link.Sink, error) { return nil, link.ErrBusy },
			Up:       func(storage.NodeID) { up <- struct{}{} },
			Receive: func(storage.NodeID, *peerpb.Message) {
				if received++; received == b.N {
					close(got)
				}
			},
		})
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() {
			if err := l.Close(b.Context()); err != nil && b.Context().Err() == nil {
				b.Error(err)
			}
		})
		return l, listener.Addr().String()
	}
	x, xAddr := begin("x")
	y, yAddr := begin("y")
	y.SetPeer("x", xAddr)
	x.SetPeer("y", yAddr)
	<-up
	<-up
	m := message(1, 300)
	b.SetBytes(int64(m.SizeVT()))
	b.ReportAllocs()
	b.ResetTimer()
	for range b.N {
		for !x.Send("y", m) {
			runtime.Gosched()
		}
	}
	<-got
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "messages/s")
	b.ReportMetric(float64(b.N)/float64(x.Stats().FramesOut), "messages/frame")
}
