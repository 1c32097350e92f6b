package node_test

import (
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/proto/wirepb"
)

func (p *peer) updateUser(u *wirepb.UpdateUser) *wirepb.ServerFrame {
	p.t.Helper()
	return p.ask(&wirepb.ClientFrame{Body: &wirepb.ClientFrame_UpdateUser{UpdateUser: u}})
}

func (p *peer) queryUsers(ids ...string) *wirepb.ServerFrame {
	p.t.Helper()
	return p.ask(&wirepb.ClientFrame{Body: &wirepb.ClientFrame_QueryUsers{QueryUsers: &wirepb.QueryUsers{UserIds: ids}}})
}

func TestAProfileIsChangedAndReadByOthers(t *testing.T) {
	o := options(t)
	o.Apps[0].Limits.Devices = 2
	n, stop := start(t, o)
	bob := login(t, n, "bob")
	phone, laptop := loginAs(t, n, "phone", false), loginAs(t, n, "laptop", false)

	want := &wirepb.UserInfo{UserId: "alice", Name: "愛麗絲", AvatarUrl: "https://example.org/a.png", ExtendedData: "{}"}
	got := phone.updateUser(&wirepb.UpdateUser{Name: &want.Name, AvatarUrl: &want.AvatarUrl, ExtendedData: &want.ExtendedData}).GetUpdateUser().GetUser()
	if !proto.Equal(got, want) {
		t.Errorf("the change gave %v, want %v", got, want)
	}
	if f, _ := laptop.read(); !proto.Equal(f.GetUserChanged().GetUser(), want) {
		t.Errorf("the other device got %v, want %v", f, want)
	}
	empty := ""
	want.AvatarUrl = ""
	phone.updateUser(&wirepb.UpdateUser{AvatarUrl: &empty})
	check := func(bob *peer) {
		t.Helper()
		reply := bob.queryUsers("nobody", "alice", "bob").GetQueryUsers()
		if len(reply.GetUsers()) != 2 || !proto.Equal(reply.Users[0], want) || reply.Users[1].UserId != "bob" || strings.Join(reply.Unknown, " ") != "nobody" {
			t.Errorf("the profiles are %v", reply)
		}
	}
	check(bob)
	stop()
	n, _ = start(t, o)
	check(login(t, n, "bob"))
}

func TestProfilesAreBounded(t *testing.T) {
	n, _ := start(t, options(t))
	alice := login(t, n, "alice")
	long := strings.Repeat("x", 257)
	for name, f := range map[string]*wirepb.ServerFrame{
		"a long name":     alice.updateUser(&wirepb.UpdateUser{Name: &long}),
		"no user":         alice.queryUsers(),
		"101 users":       alice.queryUsers(make([]string, 101)...),
		"an ID of spaces": alice.queryUsers("a b"),
	} {
		if code := chat.Code(f.GetError().GetCode()); code != chat.CodeInvalidParam {
			t.Errorf("%s: %v", name, f)
		}
	}
	if got := alice.queryUsers("alice", "alice").GetQueryUsers().GetUsers(); len(got) != 2 || got[0].Name != "ALICE" {
		t.Errorf("the refused changes left %v", got)
	}
}
