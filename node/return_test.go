package node_test

import (
	"testing"
	"time"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/proto/wirepb"
	"github.com/parley-im/parley/transport/wire"
)

func TestADeviceMayComeBackUntilItsTokensEnd(t *testing.T) {
	n, _ := start(t, options(t))
	login(t, n, "alice")
	h := hello(app, "alice", token(t, app, secret, "alice", 20*time.Second))
	h.Resume = true
	p := dial(t, n, wire.Proto{})
	p.welcome(h)
	if f, _ := p.read(); f.GetTokenExpiring().GetSeconds() == 0 {
		t.Errorf("it got %v and not the notice of the token's end", f)
	}
	h.Resume = false
	p = dial(t, n, wire.Proto{})
	p.say(helloFrame(h))
	if r, _ := p.read(); r.GetError().GetCode() != uint32(chat.CodeTokenTooShort) {
		t.Errorf("a new login got %v", r)
	}
}

// TestOfTwoConnectionsOfADeviceTheNewerOneStays has the node hear of the older
// one last, as after a session's move.
func TestOfTwoConnectionsOfADeviceTheNewerOneStays(t *testing.T) {
	n, _ := start(t, options(t))
	login(t, n, "alice")
	again := func(link uint32) *peer {
		h := hello(app, "alice", token(t, app, secret, "alice", time.Hour))
		h.Resume, h.Link = true, link
		p := dial(t, n, wire.Proto{})
		p.say(helloFrame(h))
		return p
	}
	newer := again(3)
	if r, _ := newer.read(); r.GetHello() == nil {
		t.Fatalf("the newer connection got %v", r)
	}
	if code := again(2).closed(); code != 1000 {
		t.Errorf("the older connection was closed with %d, want 1000", code)
	}
	if r := newer.ask(&wirepb.ClientFrame{Body: &wirepb.ClientFrame_Ping{Ping: &wirepb.Ping{}}}); r.GetPing() == nil {
		t.Errorf("the newer connection answers %v", r)
	}
	newest := again(4)
	if r, _ := newest.read(); r.GetHello() == nil {
		t.Fatalf("the newest connection got %v", r)
	}
	if code := newer.closed(); code != 1000 {
		t.Errorf("the replaced connection was closed with %d, want 1000", code)
	}
}
