package node

import (
	"context"
	"errors"
	"time"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/cluster/placement"
	"github.com/parley-im/parley/proto/actorpb"
	"github.com/parley-im/parley/storage"
)

// askTime is how long another node may take for what an operator wants.
const (
	askTime  = 10 * time.Second
	askAgain = 100 * time.Millisecond
)

// administer changes the registry, on the node that leads the meta group.
func (c *control) administer(m *actorpb.Administer) error {
	ctx, cancel := context.WithTimeout(c.ctx, askTime)
	defer cancel()
	change := map[actorpb.Action]func(context.Context, storage.NodeID) error{
		actorpb.Action_ACTION_DRAIN: c.n.driver.Drain, actorpb.Action_ACTION_UNDRAIN: c.n.driver.Undrain, actorpb.Action_ACTION_REMOVE: c.n.driver.Remove,
	}[m.Action]
	if change == nil {
		return chat.Errorf(chat.CodeUnsupported, "administer", "there is no action %d", m.Action)
	}
	err := change(ctx, storage.NodeID(m.Node))
	var few *placement.TooFewError
	if errors.As(err, &few) || errors.Is(err, placement.ErrUnknownNode) || errors.Is(err, placement.ErrRemoved) {
		return chat.Errorf(chat.CodeInvalidParam, "administer", "%w", err)
	}
	return err
}

// Administer has whoever leads the meta group change the registry.
func (c *control) Administer(ctx context.Context, action actorpb.Action, node string) error {
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	for {
		err := c.tryAdminister(ctx, action, node)
		if !chat.CodeOf(err).Retryable() {
			return err
		}
		select { // whoever led may be gone, and doing it twice does no harm
		case <-time.After(askAgain):
		case <-ctx.Done():
			return err
		}
	}
}

func (c *control) tryAdminister(ctx context.Context, action actorpb.Action, node string) error {
	leader, _ := c.n.directory.Leader(storage.MetaShard)
	if leader == c.n.store.Node() {
		return c.administer(&actorpb.Administer{Node: node, Action: action})
	}
	if leader == "" {
		return chat.Errorf(chat.CodeUnavailable, "administer", "nobody leads the cluster at the moment; try again")
	}
	return c.ask(ctx, leader, func(request uint32) any {
		return &actorpb.Administer{Request: request, Node: node, Action: action}
	})
}
