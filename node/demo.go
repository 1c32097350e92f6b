package node

import (
	"context"
	"crypto/rand"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/parley-im/parley/auth"
	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/cluster/directory"
	"github.com/parley-im/parley/proto/actorpb"
	"github.com/parley-im/parley/transport/api"
)

// demoUsers exist in `parley dev` from the start.
var demoUsers = []api.DevUser{
	{UserID: "alice", UserName: "Alice"},
	{UserID: "bob", UserName: "Bob"},
	{UserID: "carol", UserName: "Carol"},
	{UserID: "dave", UserName: "Dave"},
	{UserID: "lilei", UserName: "李雷"},
	{UserID: "hanmeimei", UserName: "韩梅梅"},
}

// dev is what hands out tokens, nil outside `parley dev`.
func (n *Node) dev() *api.Dev {
	if !n.o.Demo {
		return nil
	}
	app := n.o.Apps[0]
	return &api.Dev{AppID: app.ID, Users: demoUsers, Token: func(ctx context.Context, u api.DevUser, ttl int64) (string, error) {
		if err := n.register(ctx, app.ID, u); err != nil {
			return "", err
		}
		return auth.Generate04(app.ID, u.UserID, app.Secret, time.Duration(ttl)*time.Second, n.o.Now(), rand.Reader)
	}}
}

func (n *Node) registerDemoUsers(ctx context.Context) error {
	for _, u := range demoUsers {
		err := retry(ctx, func() error { return n.register(ctx, n.o.Apps[0].ID, u) })
		if err != nil {
			return err
		}
	}
	return nil
}

// retryPause is how long a refusal that may pass is waited out.
const retryPause = 100 * time.Millisecond

// retry repeats what is refused for now, until ctx ends: in a cluster that has
// just begun, shards are moved about.
func retry(ctx context.Context, f func() error) error {
	again := time.NewTicker(retryPause)
	defer again.Stop()
	for {
		err := f()
		if !chat.CodeOf(err).Retryable() {
			return err
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			return err
		}
	}
}

// register makes a user exist, and gives them the name if it is not empty.
func (n *Node) register(ctx context.Context, app chat.AppID, u api.DevUser) error {
	return n.control.enroll(ctx, chat.UserKey{App: app, ID: u.UserID}, u.UserName)
}

// enroll makes a user exist, wherever that is decided.
func (c *control) enroll(ctx context.Context, u chat.UserKey, name string) error {
	return c.await(ctx, "", func(request uint32) error {
		self := actor.NewPID(c.n.system.Address(), controlProcess)
		return c.n.directory.Send(directory.SessionOf(u), &actorpb.Enroll{Request: request, UserName: name}, self)
	})
}
